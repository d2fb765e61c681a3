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
 * Broken: ENTRY_FIRST (the entry is made before the place is taken), NO_ENTRY (nobody makes
 * one), FORGET_AT_EXIT (the entry is removed while the snapshot runs).
 */
#define PLACES 8
#define NONE 0
#define ANNOUNCED 1
#define EXEC 2
#define EXITED 3

byte taken;
byte ring[PLACES]; /* what the place holds; NONE: given back */
bool entry;
bool marked;       /* the entry says that the process has exited */
bool born;
bool dead;
bool snapshot_done;
bool met;          /* some hook or the snapshot met it */

inline win(won)
{
#ifdef NO_ENTRY
    won = true
#else
    atomic {
        if
        :: !entry -> entry = true; won = true
        :: else -> won = false
        fi
    }
#endif
}

inline take(place) { atomic { place = taken; taken++ } }

inline announce(place, won)
{
#ifdef ENTRY_FIRST
    win(won);
    if
    :: won -> take(place); ring[place] = ANNOUNCED
    :: else
    fi
#else
    take(place);
    win(won);
    if
    :: won -> ring[place] = ANNOUNCED
    :: else
    fi
#endif
}

proctype process()
{
    byte place;
    bool won;

    if
    :: born = true; /* the fork hook */
       if
       :: met = true; announce(place, won)
       :: skip /* skipped by the kernel */
       fi
    :: born = true /* it was there before the programs */
    fi;
    if
    :: met = true;
       if
       :: !entry -> announce(place, won)
       :: else
       fi;
       take(place); ring[place] = EXEC
    :: skip /* no exec, or skipped */
    fi;
    if
    :: met = true;
       if
       :: !entry -> announce(place, won)
       :: else
       fi;
       take(place);
       atomic {
#ifndef FORGET_AT_EXIT
           if
           :: snapshot_done -> entry = false; marked = false
           :: else -> marked = true
           fi;
#else
           entry = false;
#endif
           ring[place] = EXITED
       }
    :: skip
    fi;
    dead = true
}

/* It takes the process by its pid, so a dead one may be in its hands; it can be paused anywhere. */
proctype snapshot()
{
    byte place;
    bool won;

    if
    :: born -> met = true; /* found while alive, or dying */
       announce(place, won)
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
        assert(announced <= 1 && exited <= 1);
        assert(announced == 1 || !met)
    }
}

init { atomic { run process(); run snapshot(); run judge() } }
