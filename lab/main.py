# SPDX-License-Identifier: BSD-2-Clause
"""The command line of hawser-lab."""
import argparse
import os
import signal
import sys

from . import names, programs


def main(argv=None):
    parser = argparse.ArgumentParser(
        prog="hawser-lab", description="Demo, topologies and benchmarks of Hawser in network "
        "namespaces. Root is needed; everything it makes has a random name and is removed.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("demo", help="a gateway, two tunnels, both engines at work, step by step")
    topo = commands.add_parser("topo", help="bring the demo's topology up and keep it until Ctrl-C")
    topo.add_argument("--no-start", action="store_true", help="start no gateway and no peers")
    bench = commands.add_parser("bench", help="measure")
    bench.add_argument("what", nargs="?", default="first-tunnel", choices=["first-tunnel", "ike"])
    bench.add_argument("--quick", action="store_true", help="ike: few tunnels, one group")
    bench.add_argument("--tunnels", type=int, metavar="N", help="ike: so many tunnels (1,000)")
    bench.add_argument("--json", metavar="FILE", help="write the figures to FILE too")
    commands.add_parser("sweep", help="remove what labs left whose owners are dead")
    arguments = parser.parse_args(argv)

    if os.geteuid() != 0:
        print("hawser-lab: network namespaces need root", file=sys.stderr)
        return 1
    try:
        return COMMANDS[arguments.command](arguments)
    except programs.Missing as e:
        print(f"hawser-lab: {e}", file=sys.stderr)
        return 1


def run_demo(_arguments):
    from . import demo
    return demo.run()


def run_bench(arguments):
    from . import bench, bench_ike
    if arguments.what == "ike":
        return bench_ike.run(arguments.json, arguments.quick, arguments.tunnels)
    return bench.run(arguments.json)


def run_sweep(_arguments):
    for tag in names.sweep():
        print(f"removed {tag}")
    return 0


def run_topo(arguments):
    from .first_tunnel import FirstTunnel
    from .topo import Lab
    try:
        with Lab() as lab:
            topology = FirstTunnel(lab)
            if not arguments.no_start:
                topology.up()
            print("Enter a namespace:")
            for node in lab.nodes.values():
                print(f"  nsenter --net={node.path}    # {node.name}")
            print(f"The gateway:\n  {programs.find('hawser')} -d {topology.gw.rundir}\n"
                  f"  {topology.gw.config}\nCtrl-C removes everything.", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        return 0


COMMANDS = {"demo": run_demo, "topo": run_topo, "bench": run_bench, "sweep": run_sweep}
