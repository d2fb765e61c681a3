/* SPDX-License-Identifier: MIT */
/*
 * Linux: each process is announced once, whoever meets it first, and nothing that it does is told
 * before. See the head of linux/bpf/rollcall.bpf.c.
 *
 * One process that is born while the snapshot runs, or was there before. Its fork hook, its exec
 * hook and its exit hook come one after the other, but each can be skipped by the kernel; the
 * snapshot comes at any time between. Whoever meets it takes a place in the ring, then tries to
 * make the process's entry, and only who makes it submits; the other gives its place back. The
 * exit hook takes a place and ends the entry: while the snapshot may still come it stays, marked.
 *
 * Checked: in the order of the ring, the process is announced exactly once and before
 * everything else, unless every hook was skipped and the snapshot did not meet it; it is ended
 * at most once.
 *
 * Every process of the model has an end, so every run ends, and the judge sees the end of each.
 *
 * Bound: one process, three hooks, one snapshot.
 *
 * Broken: ENTRY_FIRST (the entry is made before the place is taken), NO_ENTRY (nobody makes
 * one), FORGET_AT_EXIT (the entry is removed while the snapshot runs).
 */
#define PLACES 8
#define NONE 0 /* given back */

mtype = { ANNOUNCED, EXEC, EXITED };

byte taken;
mtype ring[PLACES]; /* what the place holds; NONE: given back */
bool entry;
bool born;
bool snapshot_done;
bool met;          /* some hook or the snapshot met it */

inline win()
{
#ifdef NO_ENTRY
    won = true;
#else
    atomic {
        if
        :: !entry -> entry = true; won = true; printf("%d: win, it makes the entry\n", _pid)
        :: else -> won = false; printf("%d: win, the entry is there\n", _pid)
        fi
    };
#endif
}

/* bpf_ringbuf_reserve() */
inline take()
{
    atomic { place = taken; taken++; printf("%d: takes place %d\n", _pid, place) }
}

inline submit(what)
{
    atomic { ring[place] = what; printf("%d: place %d says %e\n", _pid, place, what) }
}

/* Who does not win gives its place back. */
inline announce()
{
    met = true;
#ifdef ENTRY_FIRST
    win();
    if
    :: won -> take(); submit(ANNOUNCED)
    :: else
    fi
#else
    take();
    win();
    if
    :: won -> submit(ANNOUNCED)
    :: else
    fi
#endif
}

/* Who was overlooked is announced first. */
inline heal()
{
    met = true;
    if
    :: !entry -> announce()
    :: else
    fi
}

inline on_fork() { announce() }

inline on_exec()
{
    heal();
    take();
    submit(EXEC)
}

inline end_entry()
{
#ifndef FORGET_AT_EXIT
    if
    :: snapshot_done -> entry = false
    :: else -> skip /* it stays, marked */
    fi;
#else
    entry = false;
#endif
}

inline on_exit()
{
    heal();
    take();
    atomic { end_entry(); submit(EXITED) }
}

proctype process()
{
    byte place;
    bool won;

    if
    :: born = true;
       if
       :: on_fork()
       :: skip /* skipped by the kernel */
       fi
    :: born = true /* it was there before the programs */
    fi;
    if
    :: on_exec()
    :: skip /* no exec, or skipped */
    fi;
    if
    :: on_exit()
    :: skip
    fi
}

/* It takes the process by its pid, so a dead one may be in its hands; it can be paused anywhere. */
inline announce_other() { announce() }

proctype snapshot()
{
    byte place;
    bool won;

    if
    :: born -> announce_other() /* found while alive, or dying */
    :: skip
    fi;
    snapshot_done = true
}

proctype judge()
{
    byte i;
    byte announced;
    byte exited;

end:
    atomic {
        timeout;
        do
        :: i < taken ->
           if
           :: ring[i] == ANNOUNCED -> announced++
           :: ring[i] == EXITED -> assert(announced == 1); exited++
           :: ring[i] == EXEC -> assert(announced == 1)
           :: else
           fi;
           i++
        :: else -> break
        od;
        printf("the end: announced %d times, ended %d times\n", announced, exited);
        assert(announced <= 1 && exited <= 1);
        assert(announced == 1 || !met)
    }
}

init { atomic { run process(); run snapshot(); run judge() } }
