/* outcome.h - the outcome of a transfer that has ended: its fate, its failure, the phase it reached, and its times. */
#ifndef DK_OUTCOME_H
#define DK_OUTCOME_H

#include "transfer/transfer.h"

/* Writes the outcome of the handle's transfer. Arguments: as dk_handle_finish. */
void dk_outcome_settle (dk_handle *handle, CURLcode code, dk_status stopped, const char *text);

/* Fails the transfer because this address is not public. */
dk_status dk_outcome_not_public (dk_xfer *x, const char *address);

#endif
