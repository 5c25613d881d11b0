# SPDX-License-Identifier: BSD-2-Clause
"""The laboratory: network namespaces, real peers and numbered traffic around Hawser's programs.

It uses the programs from outside only: command lines, JSON, packets. `hawser-lab` (demo, topo,
bench) and the tests in tests/topo are both written on it.

    names.py       the random tag in every name; who owns what; the sweep of what the dead left
    node.py        a network namespace: run commands, set addresses, ping
    topo.py        Lab: nodes, links, tunnels; removes what it made, also after a failure
    hawser.py      a node that runs a Hawser gateway
    strongswan.py  a node that runs a strongSwan peer with its user-space ESP
    flow.py        numbered packets and TCP streams between nodes (lab/traffic is the generator)
    capture.py     packet captures, and what may not be found in them
"""
