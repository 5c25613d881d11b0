# SPDX-License-Identifier: BSD-2-Clause
"""The benchmark of handshakes, with as few of them as will do: what it writes can be read."""
import json

from lab import bench_ike


def test_the_figures_have_their_names(tmp_path):
    out = tmp_path / "ike.json"
    assert bench_ike.run(out, quick=True, tunnels=20) == 0
    rows = json.loads(out.read_text(encoding="ascii"))
    assert [row["role"] for row in rows] == ["responder", "initiator"]
    for row in rows:
        assert set(row) == set(bench_ike.KEYS)
        assert row["auth"] == "psk" and row["group"] == 31 and row["tunnels"] == 20
        assert row["handshakes_per_s"] > 0
        assert row["cpu_us"] > 0 and row["bare_us"] > 0 and row["strongswan_cpu_us"] > 0
        assert row["share"] == round(row["bare_us"] / row["cpu_us"], 3)
