"""A network switch with bad cables, in user space: many kernels have no `netem`.

    switch.py NAME...

Makes a TAP device NAME for each name, and forwards frames between them. Each line of the input is
a JSON object with the faults of the cables: {NAME: {"out": [MS, LOSS], "in": [MS, LOSS]}}. A frame
is late by both its sender's `out` and its receiver's `in`, and gets lost with the probability LOSS
of each. What a line does not name is without a fault. The switch ends with its input.
"""

import fcntl
import heapq
import json
import os
import random
import select
import struct
import sys
import time

SET_INTERFACE = 0x400454CA
TAP_WITHOUT_HEADER = 0x1002
MOST_BYTES = 65_536
BROADCAST = 1  # the bit of an address's first byte


def tap(name):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, SET_INTERFACE, struct.pack("16sH", name.encode(), TAP_WITHOUT_HEADER))
    return device


def main(names):
    devices = {tap(name): name for name in names}
    homes = {}  # the device behind each address
    faults = {}
    unread = b""  # the beginning of a line of the input
    waiting = []  # (when, number, device, frame)
    number = 0

    def fault(device, way):
        return faults.get(devices[device], {}).get(way, (0, 0))

    def forward(frame, source):
        nonlocal number
        receiver, sender = frame[:6], frame[6:12]
        homes[sender] = source
        known = None if receiver[0] & BROADCAST else homes.get(receiver)
        for target in devices if known is None else [known]:
            (out_ms, out_loss), (in_ms, in_loss) = fault(source, "out"), fault(target, "in")
            is_lost = random.random() < out_loss or random.random() < in_loss
            if target == source or is_lost:
                continue
            number += 1
            when = time.monotonic() + (out_ms + in_ms) / 1000
            heapq.heappush(waiting, (when, number, target, frame))

    commands = sys.stdin.fileno()
    print("ready", flush=True)
    while True:
        pause = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        ready = select.select([commands, *devices], [], [], pause)[0]
        for source in ready:
            if source == commands:
                said = os.read(source, MOST_BYTES)
                if said == b"":
                    return
                *lines, unread = (unread + said).split(b"\n")
                for line in lines:
                    faults = json.loads(line)
                continue
            try:
                forward(os.read(source, MOST_BYTES), source)
            except OSError:
                pass  # the device is not up yet, or has no frame any more
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, target, frame = heapq.heappop(waiting)
            try:
                os.write(target, frame)
            except OSError:
                pass  # the device is not up, or full: a switch loses such a frame


main(sys.argv[1:])
