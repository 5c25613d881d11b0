#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each file: the licence tag at its head, not too long, its functions not too long and with few
parameters, none of the words that mark something unfinished."""
import ast
import re
import sys

import tree

TAG = "SPDX-License-Identifier: BSD-2-Clause"
FILE_MAX, FUNCTION_MAX, PARAMETERS_MAX = 600, 80, 5
TAGGED = (".c", ".h", ".py", ".sh", ".build", ".def", ".proto", "meson_options.txt", ".clang-format",
          ".clang-tidy", ".editorconfig", "dev", ".ci/run", "hawser-lab")
SIZED = (".c", ".h", ".py", "dev")
# Signatures that a foreign interface dictates.
DICTATED = ("emu_rx_queue_setup",)  # DPDK's eth_rx_queue_setup_t
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
# A definition as clang-format leaves it: its head begins in column 0, its braces stand alone there.
FUNCTION = re.compile(r"^([A-Za-z_][^;{}=#]*\))\n\{\n(.*?)^\}$", re.MULTILINE | re.DOTALL)


def parameters(head):
    """How many parameters a definition's head has: those that it takes, not where it puts what it
    returns (ret, ret_...) and why it failed."""
    depth, start = 0, head.index("(")
    names = [""]
    for char in head[start + 1:head.rindex(")")]:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "," and depth == 0:
            names.append("")
        else:
            names[-1] += char
    taken = [n for n in names if n.strip() not in ("", "void")
             and not re.search(r"\bret(_\w+)?(\[.*\])?$|struct why \*why$", n.strip())]
    return len(taken)


def c_functions(text):
    """(name, lines, parameters) of each function; table generators in capitals left out."""
    for found in FUNCTION.finditer(text):
        head = found.group(1)
        name = re.search(r"(\w+)\s*\(", head)
        if name and not name.group(1).isupper():
            yield name.group(1), found.group(2).count("\n") + 2, parameters(head)


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.end_lineno - node.lineno + 1, 0


def check(path, text):
    lines = text.count("\n")
    problems = []
    if str(path).endswith(TAGGED) and not any(TAG in line for line in text.split("\n", 3)[:2]):
        problems.append(f"{path}: no licence tag in its first line")
    if str(path).endswith(SIZED) and lines > FILE_MAX:
        problems.append(f"{path}: {lines} lines; at most {FILE_MAX}")
    for number, line in enumerate(text.splitlines(), 1):
        if UNFINISHED.search(line):
            problems.append(f"{path}:{number}: marks something unfinished: {line.strip()}")
    functions = {".c": c_functions, ".h": c_functions, ".py": python_functions}
    for name, length, count in functions.get(path[path.rfind("."):], lambda _: ())(text):
        if length > FUNCTION_MAX:
            problems.append(f"{path}: {name}(): {length} lines; at most {FUNCTION_MAX}")
        if count > PARAMETERS_MAX and name not in DICTATED:
            problems.append(f"{path}: {name}(): {count} parameters; at most {PARAMETERS_MAX}")
    return problems


def planted():
    tag = f"// {TAG}\n"
    return [
        ("no tag", check("a.c", "int a;\n")),
        ("a long file", check("a.c", tag + "\n" * FILE_MAX)),
        ("a long function", check("a.c", tag + "int f(void)\n{\n" + "\tg();\n" * 80 + "}\n")),
        ("a long Python function", check("a.py", f"# {TAG}\ndef f():\n" + "    g()\n" * 80)),
        ("six parameters", check("a.c", tag + "static int f(int a, int b, int c,\n\t     int d, "
                                 "void (*e)(int, int), int g, int *ret)\n{\n}\n")),
        ("an unfinished word", check("a.c", tag + "/* TO" "DO: all */\n")),
    ]


def main():
    problems = []
    for path in tree.walk():
        try:
            text = (tree.ROOT / path).read_text("utf-8")
        except UnicodeDecodeError:
            continue
        problems += check(path.as_posix(), text)
    return tree.verdict("files", problems, planted())


if __name__ == "__main__":
    sys.exit(main())
