# SPDX-FileCopyrightText: The chartsign authors
# SPDX-License-Identifier: Apache-2.0

package chartsign

# Refused: there is no network.
deny contains "not listed" if http.send({"method": "get", "url": "http://127.0.0.1/"}).status_code != 200
