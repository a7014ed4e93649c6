"""From picture files to arrays: decoding, masks, sizes, and what is kept in memory."""
