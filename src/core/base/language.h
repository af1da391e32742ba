/* language.h - what C11 and C++17 spell differently: a program may compile this code by a compiler of either language. */
#ifndef DK_LANGUAGE_H
#define DK_LANGUAGE_H

/* in front of a function that C code calls, too */
#ifdef __cplusplus
#define DK_C_LINKAGE extern "C"
#else
#define DK_C_LINKAGE
#endif

#endif
