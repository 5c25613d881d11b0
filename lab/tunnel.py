# SPDX-License-Identifier: BSD-2-Clause
"""One tunnel between two nodes that share a link: tells both ends of it.

Each end may be a Hawser gateway or a strongSwan peer. The networks behind an end are those of its
other links; a tunnel's st0 units have a small network of their own, so that a gateway has an
address inside the tunnel.
"""
import ipaddress

from .hawser import Hawser

IKE = {"aes-128-gcm": "aes128gcm16", "aes-256-gcm": "aes256gcm16", "aes-128-cbc": "aes128-sha256",
       "aes-256-cbc": "aes256-sha256"}
PRF = {"sha-256": "prfsha256", "sha-384": "prfsha384"}
GROUP = {"group14": "modp2048", "group19": "ecp256", "group20": "ecp384", "group31": "x25519"}


class Tunnel:
    def __init__(self, lab, a, b, name, *, outer=4, secret="a secret for the lab",
                 ike="aes-256-gcm", prf="sha-256", group="group31", esp="aes-128-gcm", udp=False,
                 establish="immediately", extra=(), nets=None, swan=None, inner=(4, 6),
                 link=0):
        """outer: family between the gateways; nets: {node: networks} where not all are meant;
        swan: more options of the strongSwan connection; extra: more lines of Hawser's VPN; link:
        which of several links between the two."""
        self.name, self.a, self.b = name, a, b
        number = lab.next_tunnel()
        inside = [n for n in (f"10.250.{number}.0/30", f"fd00:250:{number:x}::/126")
                  if ipaddress.ip_network(n).version in inner]
        for place, (here, there) in enumerate(((a, b), (b, a)), start=1):
            mine = _links_between(here, there)[link]
            remote = (nets or {}).get(there) or _nets_behind(there, here, inner)
            local = (nets or {}).get(here) or _nets_behind(here, there, inner)
            if isinstance(here, Hawser):
                addresses = [_nth(net, place) for net in inside]
                self.unit = here.add_vpn(
                    name, mine.name, mine.other.ip(outer), secret, remote, addresses, ike=ike,
                    prf=prf, group=group, esp=esp, udp=udp, extra=extra,
                    establish=establish if place == 1 or not isinstance(there, Hawser)
                    else "on-traffic")
            else:
                proposal = f"{IKE[ike]}-{PRF[prf]}-{GROUP[group]}"
                options = dict(ike=proposal, esp=IKE[esp], encap=udp)
                options.update(swan or {})
                here.connection(name, mine.ip(outer), mine.other.ip(outer), secret, local,
                                remote + inside, **options)


def _nth(net, n):
    net = ipaddress.ip_network(net)
    return f"{net[n]}/{net.prefixlen}"


def _links_between(here, there):
    found = [i for i in here.interfaces if i.other.node is there]
    if not found:
        raise ValueError(f"{here.name} and {there.name} share no link")
    return found


def _nets_behind(node, but, inner):
    """The networks of a node's links to plain nodes."""
    return [str(a.network) for i in node.interfaces for a in i.addresses
            if i.other.node is not but and not hasattr(i.other.node, "established")
            and a.version in inner]
