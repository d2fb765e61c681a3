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
    :: raised < EVENTS -> raised++
    :: atomic { !restarted -> restarted = true; epoch++; raised = 0; acked = 0;
           byte i = 0;
           do
           :: i < EVENTS -> rows[i] = 0; i++
           :: else -> break
           od }
    :: raised == EVENTS && restarted -> break
    od
}

active proctype service()
{
    byte e, seq, to;

start:
    {
        do
        :: atomic { acked < raised -> e = epoch; seq = acked; to = raised };
#ifdef ACK_FIRST
           atomic {
               if
               :: e == epoch -> acked = to
               :: else
               fi
           };
#endif
           /* The transaction: a d_step, as an atomic can be left in its middle by `unless`. */
           d_step {
               do
               :: seq < to ->
                  seq++;
                  if
                  :: e == epoch && !IS_OLD(e, seq) -> rows[seq - 1]++
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
               stored_seq = to
           };
#ifndef ACK_FIRST
           /* An acknowledgement of another epoch is refused. */
           atomic {
               if
               :: e == epoch && to > acked -> acked = to
               :: else
               fi
           }
#endif
        :: over -> break
        od
    } unless {
        atomic { kill -> kill = false; e = 0; seq = 0; to = 0 };
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
        :: i < EVENTS -> assert(rows[i] == 1); i++
        :: else -> break
        od;
        over = true
    }
}
