# SPDX-FileCopyrightText: The chartsign authors
# SPDX-License-Identifier: Apache-2.0

package chartsign

# Evidence alone decides.
deny contains "never" if false
