/* SPDX-License-Identifier: MIT */
/*
 * The lab's driver is rollcall.sys whose engine is a design. Its sources are compiled with this in
 * front of them, so that what they call is in windows/lab/engine.c: the same functions, as
 * core/engine.h declares them, under names of their own, as designs are made of the real engine.
 */
#ifndef WINDOWS_LAB_ENGINE_H
#define WINDOWS_LAB_ENGINE_H

#define engine_create       lab_engine_create
#define engine_destroy      lab_engine_destroy
#define engine_record_limit lab_engine_record_limit
#define engine_post         lab_engine_post
#define engine_post_create  lab_engine_post_create
#define engine_attach       lab_engine_attach
#define engine_close        lab_engine_close
#define engine_fetch        lab_engine_fetch
#define engine_wait         lab_engine_wait
#define engine_match        lab_engine_match
#define engine_drain        lab_engine_drain
#define engine_acknowledge  lab_engine_acknowledge
#define engine_stats        lab_engine_stats
#define engine_configure    lab_engine_configure
#define engine_detach       lab_engine_detach

#endif
