/* SPDX-License-Identifier: MIT */
/* Messages for the user, on stderr, with the name of the command in front. */
#ifndef PROGRAM_COMPLAIN_H
#define PROGRAM_COMPLAIN_H

/* "watch": messages begin with "rollcall watch: ". Not copied. */
void complain_as(const char *command);

/* Who gets the text of messages from here on instead of stderr, without the command's name. */
void complain_to(void (*to)(const char *text));

/* "rollcall watch: TEXT\n". A progress line that stands on the terminal is wiped first. */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

/* Where to read how the command is called; returns EXIT_USAGE. For after a message of getopt. */
int complain_hint(void);

/* Says what is wrong with how the command was called and where to read; returns EXIT_USAGE. */
__attribute__((format(printf, 1, 2))) int complain_usage(const char *format, ...);

#endif
