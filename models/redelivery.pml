/* SPDX-License-Identifier: MIT */
/*
 * Kernel, service, journal: exactly once in the journal, whoever dies where.
 *
 * The kernel side keeps each event until it is acknowledged and hands out again what is not. The
 * service stores a batch and the number up to which it has stored in one transaction of the
 * journal, then acknowledges. It can be killed between any two steps; a transaction that is not
 * complete is not there. RESTARTS: the kernel side may also begin anew (a new epoch, numbers from 1):
 * then the journal must not take them for old ones.
 *
 * Checked: in the end the journal holds each event of the last epoch once, in order.
 *
 * No run goes on for ever: each turn of each loop uses up an event, a kill or the restart. So every
 * run ends, and the judge sees the end of each.
 *
 * Bound: EVENTS, KILLS, one restart.
 *
 * Broken: ACK_FIRST, TWO_TRANSACTIONS (the events and the number apart), NO_EPOCH (numbers alone
 * are compared).
 */
#ifndef EVENTS
#define EVENTS 3
#endif
#ifndef KILLS
#define KILLS 2
#endif

byte epoch = 1;
byte raised;       /* events of this epoch */
byte acked;
byte stored_epoch; /* in the journal: the last number and whose */
byte stored_seq;
byte rows[EVENTS]; /* in the journal, of the last epoch: how often each event */
byte kills;
bool kill;
bool restarted;
bool over;

#ifdef NO_EPOCH
#define IS_OLD(e, seq) (seq <= stored_seq)
#else
#define IS_OLD(e, seq) (e == stored_epoch && seq <= stored_seq)
#endif

active proctype kernel()
{
    do
    :: atomic { raised < EVENTS -> raised++; printf("kernel: event %d of epoch %d\n", raised, epoch) }
    :: atomic {
           !restarted -> restarted = true; epoch++; raised = 0; acked = 0;
           printf("kernel: begins anew\n");
           byte i = 0;
           do
           :: i < EVENTS -> rows[i] = 0; i++
           :: else -> break
           od
       }
    :: raised == EVENTS && restarted -> break
    od
}

/* An acknowledgement of another epoch is refused. */
inline rollcall_ack()
{
    atomic {
        if
        :: e == epoch && to > acked -> acked = to; printf("service: acknowledges %d\n", to)
        :: else
        fi
    }
}

/* The transaction: a d_step, as an atomic can be left in its middle by `unless`. */
inline journal_append()
{
    d_step {
        do
        :: seq < to ->
           seq++;
           if
           :: e == epoch && !IS_OLD(e, seq) ->
              rows[seq - 1]++;
              printf("journal: stores event %d\n", seq)
           :: else
           fi
        :: else -> break
        od;
#ifdef TWO_TRANSACTIONS
        skip
    };
    d_step {
#endif
        stored_epoch = e;
        stored_seq = to;
        printf("journal: the last one is %d of epoch %d\n", to, e)
    }
}

active proctype service()
{
    byte e, seq, to;

start:
    {
        do
        :: atomic { acked < raised -> e = epoch; seq = acked; to = raised };
#ifdef ACK_FIRST
           rollcall_ack();
           journal_append()
#else
           journal_append();
           rollcall_ack()
#endif
        :: over -> break
        od
    } unless {
        atomic { kill -> kill = false; e = 0; seq = 0; to = 0; printf("service: DIES\n") };
        goto start
    }
}

active proctype killer()
{
end:
    do
    :: atomic { kills < KILLS && !kill -> kills++; kill = true }
    od
}

active proctype judge()
{
    byte i;

end:
    atomic {
        timeout;
        do
        :: i < EVENTS ->
           printf("the end: event %d is there %d times\n", i + 1, rows[i]);
           assert(rows[i] == 1);
           i++
        :: else -> break
        od;
        over = true
    }
}
