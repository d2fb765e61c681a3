#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Signs rollcall.sys and rollcall.exe for a test machine: sign-test.sh BUILD. The signed files come
# into BUILD/signed. The certificate is made on the spot and kept, with its key, in BUILD/signing.
# It is nobody's: only a Windows with `bcdedit /set testsigning on` loads what it signs.
#
# A catalog, which installing rollcall.inf needs, osslsigncode cannot make: the WDK's Inf2Cat does.
set -euo pipefail
build=$1
signing=$build/signing
signed=$build/signed

# For as long as the certificate lives the same one, so that a machine that knows it goes on to.
certificate() {
    mkdir -p "$signing"
    chmod 700 "$signing"
    if [ -f "$signing/key.pem" ] &&
        openssl x509 -checkend 86400 -noout -in "$signing/certificate.pem" >/dev/null 2>&1; then
        return
    fi
    openssl req -x509 -newkey rsa:3072 -nodes -sha256 -days 365 -subj '/CN=rollcall (test)' \
        -addext basicConstraints=critical,CA:FALSE -addext keyUsage=critical,digitalSignature \
        -addext extendedKeyUsage=codeSigning -keyout "$signing/key.pem" \
        -out "$signing/certificate.pem" 2>/dev/null
}

# Hashes of the pages too: so each page is checked when it is read, not the whole file at once.
sign() {
    rm -f "$signed/$1"
    osslsigncode sign -h sha256 -ph -n rollcall -certs "$signing/certificate.pem" \
        -key "$signing/key.pem" -in "$build/$1" -out "$signed/$1" >/dev/null
}

mkdir -p "$signed"
certificate
sign rollcall.sys
sign rollcall.exe
cp "$build/rollcall.inf" "$signed"
openssl x509 -in "$signing/certificate.pem" -outform der -out "$signed/rollcall-test.cer"
