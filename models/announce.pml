/* SPDX-License-Identifier: MIT */
/*
 * Linux: each process is announced once, whoever meets it first, and nothing that it does is told
 * before. See the head of linux/bpf/rollcall.bpf.c.
 *
 * One process that is born while the snapshot runs, or was there before. Its fork, its exec and its
 * exit come one after the other, each with two programs, and then it is freed, with one; but each program can
 * be skipped by the kernel. The snapshot comes at any time between. Whoever meets the process takes a place in
 * the ring, then tries to make the process's entry, and only who makes it submits; the other gives its
 * place back. Who meets the exit ends the entry and then reports it: while the snapshot may still come the
 * entry stays, marked. A second program, and the one of the freeing, write what the entry says that nobody
 * has written.
 *
 * Checked: in the order of the ring, the process is announced exactly once and before
 * everything else, unless every program was skipped and the snapshot did not meet it; its exec and its
 * exit are told exactly once, if a first program ran for them, or another one and there was an entry.
 *
 * Every process of the model has an end, so every run ends, and the judge sees the end of each.
 *
 * Bound: one process, seven programs, one snapshot.
 *
 * Broken: ENTRY_FIRST (the entry is made before the place is taken), NO_ENTRY (nobody makes
 * one), FORGET_AT_EXIT (the entry is removed while the snapshot runs), BLIND (the second program of the exit
 * does not look whether the first one has written).
 */
#define PLACES 8
#define NONE 0 /* given back */

mtype = { ANNOUNCED, EXEC, EXITED };

byte taken;
mtype ring[PLACES]; /* what the place holds; NONE: given back */
bool entry;
bool exited;   /* the entry is marked */
bool reported; /* the entry says that the exec is */
bool told_exec; /* some program has to have written it */
bool told_exit;
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

inline again_fork()
{
    if
    :: !entry -> announce()
    :: else
    fi
}

/* The entry notes which exec was reported. */
inline is_reported()
{
    heal();
    atomic { won = !(entry && reported); if :: entry -> reported = true :: else fi }
}

inline report_exec()
{
    take();
    submit(EXEC)
}

inline on_exec()
{
    told_exec = true;
    is_reported();
    if
    :: won -> report_exec()
    :: else
    fi
}

inline again_exec()
{
    if
    :: entry ->
       told_exec = true;
       is_reported();
       if
       :: won -> report_exec()
       :: else
       fi
    :: else
    fi
}

/* Only one run ends it. */
inline end_entry()
{
    atomic {
        won = entry && !exited;
        if
#ifndef FORGET_AT_EXIT
        :: won && !snapshot_done -> exited = true
        :: won && snapshot_done -> entry = false
#else
        :: won -> entry = false
#endif
        :: else
        fi
    }
}

inline report_exit()
{
    take();
    submit(EXITED)
}

inline on_exit()
{
    told_exit = true;
    heal();
    end_entry();
    if
    :: won -> report_exit()
    :: else
    fi
}

/* A second one, and the one of the freeing. */
inline exit_unseen()
{
#ifdef BLIND
    won = true;
#else
    if
    :: entry && !exited -> told_exit = true; end_entry()
    :: else -> won = false
    fi;
#endif
    if
    :: won -> report_exit()
    :: else
    fi
}

inline again_exit() { exit_unseen() }

inline at_free() { exit_unseen() }

#define MAY_SKIP(program) if :: program :: skip fi

proctype process()
{
    byte place;
    bool won;

    if
    :: born = true;
       MAY_SKIP(on_fork());
       MAY_SKIP(again_fork())
    :: born = true /* it was there before the programs */
    fi;
    if
    :: MAY_SKIP(on_exec());
       MAY_SKIP(again_exec())
    :: skip /* no exec */
    fi;
    MAY_SKIP(on_exit());
    MAY_SKIP(again_exit());
    MAY_SKIP(at_free())
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
    byte execs;
    byte exits;

end:
    atomic {
        timeout;
        do
        :: i < taken ->
           if
           :: ring[i] == ANNOUNCED -> announced++
           :: ring[i] == EXITED -> assert(announced == 1); exits++
           :: ring[i] == EXEC -> assert(announced == 1 && exits == 0); execs++
           :: else
           fi;
           i++
        :: else -> break
        od;
        printf("the end: announced %d times, execs %d, exits %d\n", announced, execs, exits);
        assert(announced <= 1 && execs == told_exec && exits == told_exit);
        assert(announced == 1 || !met)
    }
}

init { atomic { run process(); run snapshot(); run judge() } }
