// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package transparency reads what transparency logs sign: checkpoints. It is pure: it
// opens no connection and trusts nothing. A Checkpoint that was parsed here is a claim
// until package verify has checked its signature under a log key of a trusted root; keys
// are never taken from the log itself.
//
// The format is the signed note of the C2SP checkpoint specification
// (https://c2sp.org/tlog-checkpoint), as Rekor v1 and v2 write it.
//
//	checkpoint, err := transparency.ParseCheckpoint(text)
//	if err != nil {
//		return err // wraps ErrCheckpoint
//	}
//	fmt.Println(checkpoint.Origin, checkpoint.Size)
package transparency
