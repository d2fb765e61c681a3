/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Room in the ring that is promised: what the policy `deny` stands on.
 *
 * `promised` is how many bytes of the ring are; each promise stands in `promises`, and who
 * removes it there, and nobody else, has it. While programs deny, nobody takes a
 * place without a promise: who has none claims the room first, and uses it at once.
 *
 *     claim                               use
 *     1 promised += bytes                 1 take the place: used += bytes
 *     2 used = what is not consumed       2 promised -= bytes
 *     3 if used + promised > room:
 *         promised -= bytes, refused
 *
 * A promise cannot be broken. Take a claim that was granted, and look at it at its step 2. Each
 * promise that was granted before it is in its `promised`, or its use was through with step 2, and
 * then with step 1, so that its place is in `used`; between the two it is in both. So all promises
 * and all places together had room at that moment. What comes after it only moves bytes from
 * `promised` to `used`, or frees some, until another claim is granted, of which the same is true. What
 * is refused in the end is counted by others for a moment, and a use for a moment twice: so
 * somebody can be refused although there was room, but never the other way.
 *
 * `used` goes from the reader's position to the last place that was taken. A record that is not yet
 * written, and all behind it, is in it: the reader does not pass it. The kernel wants one byte of
 * the ring free, and sizes are multiples of 8.
 */
#ifndef PROMISES_H
#define PROMISES_H

/* What a place for a record of that size takes. */
#define SPACE(size) (((__u64)(size) + BPF_RINGBUF_HDR_SZ + 7) & ~7ull)

#define EVENT_SPACE SPACE(sizeof(struct ring_event))
#define EXEC_SPACE  SPACE(sizeof(struct ring_event) + sizeof(struct ring_texts))

/* Known before the programs are loaded: where it is false the kernel leaves out all that depends
 * on it. */
const volatile bool denies = false;

uint64_t promised SEC(".data.promised") = 0;

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1);
    __type(key, struct promise);
    __type(value, __u32);
} promises SEC(".maps");

static __always_inline void give_back(__u64 bytes)
{
    __sync_fetch_and_sub(&promised, bytes);
}

static __always_inline bool claim(__u64 bytes)
{
    __u64 all;

    if (!bytes)
        return true;
    all = __sync_fetch_and_add(&promised, bytes) + bytes;
    if (bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) + all < READ(control.ring_size))
        return true;
    give_back(bytes);
    return false;
}

/* Promises `bytes`, if that was not done already. false: there is no room, or no memory to note
 * it. */
static __always_inline bool make_promise(const struct promise *promise, __u64 bytes)
{
    __u32 noted = 1;
    int err;

    if (bpf_map_lookup_elem(&promises, promise))
        return true;
    if (!claim(bytes))
        return false;
    err = (int)bpf_map_update_elem(&promises, promise, &noted, BPF_NOEXIST);
    if (err)
        give_back(bytes);
    return !err || err == -EEXIST;
}

/* Whether there is such a promise: now it is the caller's, to be used or given back. */
static __always_inline bool take_promise(const struct promise *promise)
{
    return (int)bpf_map_delete_elem(&promises, promise) == 0;
}

static __always_inline void end_promise(const struct promise *promise, __u64 bytes)
{
    if (take_promise(promise))
        give_back(bytes);
}

/* Takes a place in the ring; is_promised: the caller has a promise for it, which is used. */
static __always_inline void *take_place(__u64 size, bool is_promised)
{
    void *place;

    if (denies && !is_promised && !claim(SPACE(size)))
        return NULL;
    place = bpf_ringbuf_reserve(&ring, size, 0);
    if (denies)
        give_back(SPACE(size));
    return place;
}

#endif
