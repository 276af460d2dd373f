#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A server that reads and never answers."""
import sys

for _ in sys.stdin:
    pass
