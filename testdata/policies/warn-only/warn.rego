# SPDX-FileCopyrightText: The chartsign authors
# SPDX-License-Identifier: Apache-2.0

package chartsign

# Refused: a policy must define deny.
warn contains "this is only a warning"
