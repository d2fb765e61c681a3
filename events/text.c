/* SPDX-License-Identifier: MIT */
#include "events/text.h"

#include "lib/utf8.h"

#include <stdlib.h>
#include <string.h>

enum looks { PLAIN, NEEDS_QUOTES, NEEDS_ESCAPES };

/* What turns the direction of the text that follows, or ends a line: U+200E, U+200F, U+2028 to
 * U+202E, U+2066 to U+2069. */
static bool turns(const char *text, size_t n)
{
    unsigned last;

    if (n != 3 || (unsigned char)text[0] != 0xe2)
        return false;
    last = (unsigned char)text[2];
    if ((unsigned char)text[1] == 0x81)
        return last >= 0xa6 && last <= 0xa9;
    return (unsigned char)text[1] == 0x80 &&
           (last == 0x8e || last == 0x8f || (last >= 0xa8 && last <= 0xae));
}

/* Control characters, of the second kind (U+0080 to U+009F) too. */
static bool is_control(const char *text, size_t n)
{
    unsigned char c = (unsigned char)text[0];

    return n == 0 || c < 0x20 || c == 0x7f ||
           (n == 2 && c == 0xc2 && (unsigned char)text[1] < 0xa0) || turns(text, n);
}

static enum looks look_at(const char *text, size_t size)
{
    enum looks looks = size == 0 ? NEEDS_QUOTES : PLAIN;
    size_t n;

    for (size_t i = 0; i < size; i += n ? n : 1) {
        n = utf8_character(text + i, size - i);
        if (is_control(text + i, n) || text[i] == '\'')
            return NEEDS_ESCAPES;
        if (n == 1 && strchr(" \"\\$`*?[]{}()<>|&;#~!", text[i]))
            looks = NEEDS_QUOTES;
    }
    return looks;
}

/* A character is at most four bytes, and each becomes \xNN. */
#define ESCAPED_MAX 17

/* One character as $'...' has it (`quoted`: within such quotes); *columns: how many it takes.
 * Returns the bytes. */
static size_t escape(char out[ESCAPED_MAX], const char *text, size_t n, bool quoted,
                     size_t *columns)
{
    static const char from[] = "\a\b\t\n\v\f\r\033\\'";
    static const char into[] = "abtnvfre\\'";
    const char *known = n <= 1 && *text ? strchr(from, *text) : NULL;
    size_t used = 0;

    if (known && (quoted || is_control(text, n))) {
        out[0] = '\\';
        out[1] = into[known - from];
        return *columns = 2;
    }
    if (!is_control(text, n)) {
        memcpy(out, text, n);
        *columns = 1;
        return n;
    }
    for (size_t i = 0; i < (n ? n : 1); i++)
        used += (size_t)snprintf(out + used, ESCAPED_MAX - used, "\\x%02x", (unsigned char)text[i]);
    return *columns = used;
}

/* `columns` are used already. Returns how many there are then. */
static size_t put_characters(FILE *to, const char *text, size_t size, size_t columns, size_t room,
                             bool quoted)
{
    char out[ESCAPED_MAX];
    size_t more;
    size_t n;

    for (size_t i = 0; i < size; i += n ? n : 1) {
        if (columns + 3 >= room && size - i > 3) {
            fputs("...", to);
            return columns + 3;
        }
        n = utf8_character(text + i, size - i);
        fwrite(out, 1, escape(out, text + i, n, quoted, &more), to);
        columns += more;
    }
    return columns;
}

size_t text_quote(FILE *to, const char *text, size_t size, size_t room)
{
    enum looks looks = look_at(text, size);
    size_t columns = 0;

    if (looks != PLAIN) {
        fputs(looks == NEEDS_ESCAPES ? "$'" : "'", to);
        columns = looks == NEEDS_ESCAPES ? 3 : 2;
    }
    columns = put_characters(to, text, size, columns, room, looks == NEEDS_ESCAPES);
    if (looks != PLAIN)
        fputc('\'', to);
    return columns;
}

size_t text_line(FILE *to, const char *text, size_t size, size_t room)
{
    return put_characters(to, text, size, 0, room, false);
}

char *text_escaped(const char *text, size_t size)
{
    char *result = malloc(4 * size + ESCAPED_MAX);
    size_t used = 0;
    size_t columns;
    size_t n;

    for (size_t i = 0; result && i < size; i += n ? n : 1) {
        n = utf8_character(text + i, size - i);
        used += escape(result + used, text + i, n, false, &columns);
    }
    if (result)
        result[used] = '\0';
    return result;
}

size_t text_columns(const char *text)
{
    size_t columns = 0;

    for (; *text; text++)
        columns += ((unsigned char)*text & 0xc0) != 0x80; /* not for what continues a character */
    return columns;
}

bool text_next(const char *text, size_t size, size_t *offset, const char **piece,
               size_t *piece_size)
{
    const char *end;

    if (*offset >= size)
        return false;
    *piece = text + *offset;
    end = memchr(*piece, '\0', size - *offset);
    *piece_size = end ? (size_t)(end - *piece) : size - *offset;
    *offset += *piece_size + 1;
    return true;
}
