# SPDX-License-Identifier: BSD-2-Clause
"""A gateway that is ended under traffic lets nothing out in the clear.

    host-a -- gw -- router -- far -- host-b       gw has a default route by the router
"""
import pytest

from lab.capture import Capture

SECRET = "a secret for the lab"


def build(lab):
    a, b, router = lab.host("host-a"), lab.host("host-b"), lab.router("router")
    gw, far = lab.hawser("gw"), lab.hawser("far", offload=["software"])
    lab.link(a, gw, "10.1.0.0/24", "fd00:1::/64")
    lab.link(b, far, "10.2.0.0/24", "fd00:2::/64")
    for n, end in enumerate((gw, far), start=1):
        lab.link(end, router, f"192.0.2.{16 * n}/28", f"2001:db8:{n}::/64")
        end.set(f"routing-options static route 0.0.0.0/0 next-hop 192.0.2.{16 * n + 2}",
                f"routing-options static route ::/0 next-hop 2001:db8:{n}::2")
        end.add_vpn("vpn", "eth1", f"192.0.2.{33 if n == 1 else 17}", SECRET,
                    [f"10.{3 - n}.0.0/24", f"fd00:{3 - n}::/64"],
                    [f"10.250.0.{n}/30", f"fd00:250::{n}/126"])
    a.default_routes()
    b.default_routes()
    return a, b, router, gw, far


@pytest.mark.parametrize("before", ["0", "1"])
def test_nothing_leaves_in_the_clear_while_it_goes(lab, before):
    """before: what the namespace's forwarding was when the gateway came."""
    a, b, router, gw, far = build(lab)
    gw.sysctl({"net.ipv4.ip_forward": before, "net.ipv6.conf.all.forwarding": before})
    far.up()
    gw.up()
    gw.wait_tunnel("vpn")
    assert a.ping("10.2.0.1") == 1 and a.ping("fd00:2::1") == 1

    with Capture(router, "eth0") as wire:
        flows = [lab.flow(a, b), lab.flow(a, b, version=6),
                 lab.flow(gw, b, sender="10.250.0.1", pps=500)]
        with flows[0], flows[1], flows[2]:
            flows[0].wait_arrived(100)
            assert gw.down() == 0
            assert a.ping("10.2.0.1", 3, 0.1) == 0 and a.ping("fd00:2::1", 3, 0.1) == 0
    for flow in flows:
        assert wire.in_the_clear(flow) == [], f"{flow}\n{gw.log()}"
    assert wire.esp(), "nothing was seen at all"
    for interface in ("eth0", "eth1"):
        assert gw.run("sysctl", "-n", f"net.ipv4.conf.{interface}.forwarding").stdout == "0\n"
    assert gw.run("sysctl", "-n", "net.ipv6.conf.all.forwarding").stdout == "0\n"
    assert gw.run("sysctl", "-n", "net.ipv4.ip_forward").stdout == f"{before}\n"

    gw.start_keeper()  # and it comes back where the last one left
    gw.wait_ready()
    gw.wait_tunnel("vpn")
    assert a.ping("10.2.0.1") == 1 and a.ping("fd00:2::1") == 1
