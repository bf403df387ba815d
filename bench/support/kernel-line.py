#!/usr/bin/python3
"""A bad line under the kernel's own TCP: two TUN devices, one in a network namespace of its own, and between them a delay,
a rate and losses for each packet each way. Needs root, ip(8) and /dev/net/tun. Everything it made goes when its standard
input ends.

    kernel-line.py LOSS BITS_PER_SECOND DELAY_MS SEED TARGET_PORT   prints "HOST:PORT" that leads to 127.0.0.1:TARGET_PORT
"""
import fcntl, heapq, os, random, select, signal, socket, struct, subprocess, sys, threading, time

NAMESPACE = f"hsline{os.getpid()}"
# A namespace that is deleted lets its devices go only later: each run has names of its own.
NEAR_TUN, FAR_TUN, NEAR_VETH, FAR_VETH = (f"hs{each}{os.getpid()}" for each in "abcd")
NEAR, FAR, BACK_NEAR, BACK_FAR = "10.201.77.1", "10.201.77.2", "10.201.78.1", "10.201.78.2"
PORT = 7777
QUEUE_BYTES = 64 * 1024
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def tun(name):
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    os.set_blocking(device, False)
    return device


def pump(source, sink):
    try:
        while chunk := source.recv(65536):
            sink.sendall(chunk)
    except OSError:
        pass
    for each in (source, sink):
        try:
            each.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def forward(listen, target):
    """Accepts at `listen` and hands each connection's bytes on to `target`, both (host, port)."""
    server = socket.create_server(listen)
    while True:
        client, _ = server.accept()
        try:
            onward = socket.create_connection(target, timeout=5)
        except OSError:
            client.close()
            continue
        onward.settimeout(None)
        for each in (client, onward):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for pair in ((client, onward), (onward, client)):
            threading.Thread(target=pump, args=pair, daemon=True).start()


def carry(near, far, loss, rate, delay, chance):
    """Packets from one device to the other, until standard input ends."""
    free, waiting, count = {near: 0.0, far: 0.0}, [], 0
    while True:
        pause = max(0, waiting[0][0] - time.monotonic()) if waiting else 1
        readable, _, _ = select.select([near, far, sys.stdin], [], [], pause)
        if sys.stdin in readable and not os.read(0, 1):
            return
        now = time.monotonic()
        for device in (each for each in readable if each is not sys.stdin):
            while True:
                try:
                    packet = os.read(device, 65536)
                except BlockingIOError:
                    break
                if packet[0] >> 4 != 4 or max(0, free[device] - now) * rate / 8 > QUEUE_BYTES:
                    continue
                free[device] = max(now, free[device]) + len(packet) * 8 / rate
                if chance.random() < loss:
                    continue
                count += 1
                heapq.heappush(waiting, (free[device] + delay, count, far if device == near else near, packet))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, device, packet = heapq.heappop(waiting)
            os.write(device, packet)


def main(loss, rate, delay_ms, seed, target_port):
    near, far = tun(NEAR_TUN), tun(FAR_TUN)
    forwarder = None
    # What was made goes also when somebody ends the whole group of processes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        ip("netns", "add", NAMESPACE)
        ip("link", "set", FAR_TUN, "netns", NAMESPACE)
        ip("addr", "add", f"{NEAR}/24", "dev", NEAR_TUN)
        ip("link", "set", NEAR_TUN, "up")
        ip("link", "add", NEAR_VETH, "type", "veth", "peer", "name", FAR_VETH, "netns", NAMESPACE)
        ip("addr", "add", f"{BACK_NEAR}/24", "dev", NEAR_VETH)
        ip("link", "set", NEAR_VETH, "up")
        for device, address in ((FAR_TUN, FAR), (FAR_VETH, BACK_FAR)):
            ip("-n", NAMESPACE, "addr", "add", f"{address}/24", "dev", device)
            ip("-n", NAMESPACE, "link", "set", device, "up")
        back = (BACK_NEAR, PORT), ("127.0.0.1", target_port)
        threading.Thread(target=forward, args=back, daemon=True).start()
        words = ["ip", "netns", "exec", NAMESPACE, sys.executable, __file__, "--forward"]
        forwarder = subprocess.Popen(words, stdin=subprocess.DEVNULL)
        time.sleep(0.5)
        print(f"{FAR}:{PORT}", flush=True)
        carry(near, far, loss, rate, delay_ms / 1000, random.Random(seed))
    finally:
        if forwarder:
            forwarder.terminate()
        # Sockets that still close keep a namespace, and with it our end of the pair and its address: the next run's too.
        subprocess.run(["ip", "link", "del", NEAR_VETH], check=False)
        subprocess.run(["ip", "netns", "del", NAMESPACE], check=False)


if __name__ == "__main__":
    if sys.argv[1] == "--forward":
        forward((FAR, PORT), (BACK_NEAR, PORT))
    else:
        main(float(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
