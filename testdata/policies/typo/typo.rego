# SPDX-FileCopyrightText: The chartsign authors
# SPDX-License-Identifier: Apache-2.0

package chartsign

# Refused: denny would never be looked at.
deny contains "unsigned" if count(input.signers) == 0

denny contains "too old" if input.version == "0.1.0"
