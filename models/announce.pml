/* SPDX-License-Identifier: MIT */
/*
 * Linux: each process is announced once, whoever meets it first, and nothing that it does is told
 * before. See the head of linux/bpf/rollcall.bpf.c.
 *
 * One process that is born while the snapshot runs, or was there before. Its fork, its exec and its
 * exit come one after the other, each with two programs, and then it is freed, with one; but each program can
 * be skipped by the kernel. The snapshot comes at any time between. Whoever meets the process takes a place in
 * the ring, then tries to make the process's entry, and only who makes it submits; the other gives its
 * place back. The kernel counts the execs before the programs run; an entry that was made in a hook of the
 * process notes the count, and so does who reports an exec, so that an exec of which both programs were
 * skipped is seen, and written, at the exit. One that fails behind the point of no return is counted, too, and
 * has no programs. Who meets the exit ends the entry and then reports it: while the snapshot may still come the
 * entry stays, marked. A second program, and the one of the freeing, write what the entry says that nobody
 * has written.
 *
 * Checked: in the order of the ring, the process is announced exactly once and before
 * everything else, unless every program was skipped and the snapshot did not meet it; its exec and its
 * exit are told exactly once, if a first program ran for them, or another one and there was an entry. A failed
 * exec is not told.
 *
 * Every process of the model has an end, so every run ends, and the judge sees the end of each.
 *
 * Bound: one process, seven programs, one snapshot.
 *
 * Broken: ENTRY_FIRST (the entry is made before the place is taken), NO_ENTRY (nobody makes
 * one), FORGET_AT_EXIT (the entry is removed while the snapshot runs), BLIND (the second program of the exit
 * does not look whether the first one has written), SNAPSHOT_NOTES (its entry notes the count of execs, too),
 * FAILED_TOLD (nobody asks whether an exec that is counted has failed).
 */
#define PLACES 8
#define NONE 0 /* given back */

mtype = { ANNOUNCED, EXEC, EXITED };

byte taken;
mtype ring[PLACES]; /* what the place holds; NONE: given back */
bool entry;
bool exited;   /* the entry is marked */
bool executed; /* the kernel has counted the exec */
bool failed;   /* it has failed since */
bool reported; /* the entry's count is the kernel's */
bool noted;    /* the entry has a count */
bool told_exec; /* some program has to have written it */
bool told_exit;
bool born;
bool snapshot_done;
bool met;          /* some hook or the snapshot met it */

/* notes: it is made in a hook of the process. */
inline win(notes)
{
#ifdef NO_ENTRY
    won = true;
#else
    atomic {
        if
        :: !entry -> entry = true; won = true; noted = notes; reported = notes && executed; printf("%d: win, it makes the entry\n", _pid)
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
inline announce(notes)
{
    met = true;
#ifdef ENTRY_FIRST
    win(notes);
    if
    :: won -> take(); submit(ANNOUNCED)
    :: else
    fi
#else
    take();
    win(notes);
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
    :: !entry -> announce(true)
    :: else
    fi
}

inline on_fork() { announce(true) }

inline again_fork()
{
    if
    :: !entry -> announce(true)
    :: else
    fi
}

/* The entry notes which exec was reported. One that is made for it does not yet mean that it is. */
inline is_reported()
{
    if
    :: entry -> met = true; won = !reported
    :: else -> announce(true); won = true
    fi;
    atomic { if :: entry -> reported = true; noted = true :: else fi }
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

#ifdef FAILED_TOLD
#define HAS_EXECUTED executed
#else
#define HAS_EXECUTED (executed && !failed)
#endif

/* An exec that the entry does not know of. */
inline heal_last_exec()
{
    if
    :: atomic { entry && !exited && noted && !reported && HAS_EXECUTED -> reported = true };
       told_exec = !failed;
       report_exec()
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
    heal_last_exec();
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
    :: entry && !exited -> told_exit = true; heal_last_exec(); end_entry()
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
    :: executed = true;
       MAY_SKIP(on_exec());
       MAY_SKIP(again_exec())
    :: executed = true; failed = true
    :: skip /* no exec */
    fi;
    MAY_SKIP(on_exit());
    MAY_SKIP(again_exit());
    MAY_SKIP(at_free())
}

/* It takes the process by its pid, so a dead one may be in its hands; it can be paused anywhere. */
#ifdef SNAPSHOT_NOTES
inline announce_other() { announce(true) }
#else
inline announce_other() { announce(false) }
#endif

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
