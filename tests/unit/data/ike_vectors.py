#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""IKEv2 key derivation and pre-shared-key authentication, written from RFC 7296 with hmac, hashlib
and python3-cryptography alone, apart from re/ike: each checks the other.

usage: ike_vectors.py > ike_vectors.h

Inputs are made by SHA-256 of a name, so that they are reproducible and mean nothing."""
import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def made(name, n):
    out = b""
    while len(out) < n:
        out += hashlib.sha256(f"{name} {len(out)}".encode()).digest()
    return out[:n]


def prf(digest, key, data):
    return hmac.new(key, data, digest).digest()


def prf_plus(digest, key, seed, n):                              # RFC 7296 2.13
    out, last, turn = b"", b"", 1
    while len(out) < n:
        last = prf(digest, key, last + seed + bytes([turn]))
        out, turn = out + last, turn + 1
    return out[:n]


def cut(material, *lengths):
    for n in lengths:
        yield material[:n]
        material = material[n:]


def header(spi_i, spi_r, nxt, length):
    return (spi_i + spi_r + bytes([nxt, 0x20, 35, 0x08]) + (1).to_bytes(4, "big")
            + length.to_bytes(4, "big"))


def sealed(aead, enc, integ_key, digest, icv, iv, plain, spis):
    """An IKE_AUTH request of the initiator whose only payload is SK around a Nonce (RFC 7296 3.14,
    RFC 5282)."""
    inner = bytes([0, 0]) + (4 + len(plain)).to_bytes(2, "big") + plain
    block = 1 if aead else 16
    pad = -(len(inner) + 1) % block
    inner += bytes(pad) + bytes([pad])
    total = 28 + 4 + len(iv) + len(inner) + icv
    start = header(*spis, 46, total) + bytes([40, 0]) + (total - 28).to_bytes(2, "big")
    if aead:
        return start + iv + AESGCM(enc[:-4]).encrypt(enc[-4:] + iv, inner, start)
    e = Cipher(algorithms.AES(enc), modes.CBC(iv)).encryptor()
    message = start + iv + e.update(inner) + e.finalize()
    return message + prf(digest, integ_key, message)[:icv]


SUITES = [  # encr, bits, integ, prf, digest, cipher key with salt, integ key, ICV, IV
    (20, 128, 0, 5, "sha256", 20, 0, 16, 8),
    (20, 256, 0, 6, "sha384", 36, 0, 16, 8),
    (12, 128, 12, 5, "sha256", 16, 32, 16, 16),
    (12, 192, 13, 6, "sha384", 24, 48, 24, 16),
    (12, 256, 14, 7, "sha512", 32, 64, 32, 16),
]


def suite_vector(suite):
    encr, bits, integ, prf_id, digest, enc_len, integ_len, icv, iv_len = suite
    name = f"{encr}-{bits}-{integ}-{prf_id}"
    n = hashlib.new(digest).digest_size
    v = {"encr": encr, "bits": bits, "integ": integ, "prf": prf_id,
         "ni": made(name + " Ni", 32), "nr": made(name + " Nr", 24),
         "spi_i": made(name + " SPIi", 8), "spi_r": made(name + " SPIr", 8),
         "secret": made(name + " g^ir", 32)}
    skeyseed = prf(digest, v["ni"] + v["nr"], v["secret"])       # 2.14
    material = prf_plus(digest, skeyseed, v["ni"] + v["nr"] + v["spi_i"] + v["spi_r"],
                        3 * n + 2 * integ_len + 2 * enc_len)
    names = ("d", "ai", "ar", "ei", "er", "pi", "pr")
    v.update(zip(names, cut(material, n, integ_len, integ_len, enc_len, enc_len, n, n)))
    v["child"] = prf_plus(digest, v["d"], v["ni"] + v["nr"], 2 * 36)  # 2.17
    v["psk"], v["message"] = made(name + " PSK", 20), made(name + " RealMessage1", 300)
    v["id"] = bytes([2, 0, 0, 0]) + b"gw.example.net"
    octets = v["message"] + v["nr"] + prf(digest, v["pi"], v["id"])
    v["auth"] = prf(digest, prf(digest, v["psk"], b"Key Pad for IKEv2"), octets)  # 2.15
    v["iv"] = made(name + " IV", iv_len)
    v["plain"] = made(name + " nonce inside", 37)
    v["sealed"] = sealed(encr == 20, v["ei"], v["ai"], digest, icv, v["iv"], v["plain"],
                         (v["spi_i"], v["spi_r"]))
    return v


def literal(value):
    if isinstance(value, int):
        return str(value)
    text = "".join(f"\\x{b:02x}" for b in value)
    lines = [text[i:i + 80] for i in range(0, len(text), 80)] or [""]
    return "V(" + "\n\t\t".join(f'"{line}"' for line in lines) + ")"


def main():
    print("/* SPDX-License-Identifier: BSD-2-Clause */")
    print("/* Made by ike_vectors.py beside this file; do not edit. */")
    print("/* clang-format off */")
    print("static const struct ike_vector vectors[] = {")
    for suite in SUITES:
        print("\t{")
        for key, value in suite_vector(suite).items():
            print(f"\t\t.{key} = {literal(value)},")
        print("\t},")
    print("};\n/* clang-format on */")


if __name__ == "__main__":
    main()
