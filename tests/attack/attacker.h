/* SPDX-License-Identifier: MIT */
/*
 * Who attacks: a user without any right, who wants something that he does to be unrecorded. What the
 * attacks share: to become him, a directory and a program of his, and which processes he has made.
 */
#ifndef ATTACKER_H
#define ATTACKER_H

#include "tests/kernel/witness.h"
#include "tests/load/load.h"

#include <rollcall/rollcall.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ATTACKER 65534u /* nobody */
#define MADE_MAX 4096u

/* Makes the directory, which is removed at the end of the program. */
void make_attack_directory(void);

/* Group set-up and tear-down: the witness, and the directory. */
int attack_open(void **state);
int attack_close(void **state);

/* Test set-up: forgets what was before. */
int attack_begin(void **state);

/* A directory of the attacker, and a program in it: tests/load/load_child.c. */
const char *attack_directory(void);
const char *attack_program(void);

/* In a child: becomes the attacker, for good. */
void become_attacker(void);

/* As start_child() and run_child() of the witness, by the attacker. */
pid_t start_attack(void (*body)(void));
pid_t run_attack(void (*body)(void), int *status);

/* A load that the attacker starts, after load_init(). Returns who waits for its workers. */
pid_t start_load_attack(struct load *load, const struct load_options *opts);

/* Takes events until there is one of this type and process. */
void look_for(enum rollcall_type type, pid_t pid);

/* In a child: a process has been made. */
void note_made(pid_t pid);

/* Asserts that so many were made, and that each has one create, so many execs, one exit; of the
 * status `status` if that is not negative. Call witness_look() before. */
void expect_made(uint32_t count, size_t execs, int status);

/* What was noted: the n-th. */
pid_t made_pid(uint32_t n);

/* The only process that this one has created. */
pid_t only_child(pid_t creator);

/* Asserts that the event has this text, whole. */
void expect_text(const struct rollcall_event *event, enum rollcall_text_field field,
                 const void *bytes, size_t size);
void expect_words(const struct rollcall_event *event, enum rollcall_text_field field,
                  const char *text);

/* Gets the text of an event, which must have it. */
struct rollcall_string text_of(const struct rollcall_event *event, enum rollcall_text_field field);

/* What another consumer that begins now is told of a process that is there; the caller frees it. */
struct rollcall_event *told_as_existing(pid_t pid);

/* Reads /proc/PID/cmdline. Returns the bytes. */
size_t read_command_line(pid_t pid, char *to, size_t room);

#endif
