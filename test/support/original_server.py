#!/usr/bin/python3
"""A cluster of the original protocol: a broker, a REP server, a proxy and a reference, in threads of one process.

Prints its endpoints as a line of JSON. When its input ends, prints how often each request came, by service and content.
"""
import argparse, collections, datetime, json, os, sys, threading, time
import msgpack, zmq

args = argparse.ArgumentParser()
args.add_argument("--unknown", choices=["erro", "message", "silent"], default="erro", help="what is said to other services")
args.add_argument("--slow", type=float, default=0, help="seconds that each write takes")
args = args.parse_args()

context = zmq.Context()
counts = collections.Counter()
clock = 0
users, channels = [], []


def bound(kind):
    socket = context.socket(kind)
    return socket, "tcp://127.0.0.1:%d" % socket.bind_to_random_port("tcp://127.0.0.1")


def forward(front, back):
    threading.Thread(target=zmq.proxy, args=(front, back), daemon=True).start()


def answer(data):
    global clock
    clock += 1
    return {**data, "timestamp": datetime.datetime.now().isoformat(), "clock": clock}


def serve(service, data):
    global clock
    clock = max(clock, data.get("clock", 0))
    if service in ("login", "channel", "publish", "message"):
        time.sleep(args.slow)
    if service == "login":
        if data["user"] in users:
            return {"status": "erro", "description": "Usuário já conectado"}
        users.append(data["user"])
        return {"status": "sucesso"}
    if service == "channel":
        if data["channel"] in channels:
            return {"status": "erro", "description": "Canal já existe"}
        channels.append(data["channel"])
        return {"status": "sucesso"}
    if service in ("users", "channels"):
        return {"users": users if service == "users" else channels}
    if service == "publish":
        if data["channel"] not in channels:
            return {"status": "erro", "message": "Canal não existe"}
        publish(data["channel"], {key: data[key] for key in ("user", "message", "timestamp", "clock")})
        return {"status": "OK"}
    if service == "message":
        publish(data["dst"], {key: data[key] for key in ("src", "message", "timestamp", "clock")})
        return {"status": "OK"}
    if args.unknown == "message":
        return {"status": "erro", "message": "Serviço desconhecido"}
    return {"status": "erro", "description": "Serviço desconhecido"}


def publish(topic, body):
    publisher.send_multipart([topic.encode(), msgpack.packb(body)])


def count(service, data):
    counts["%s %s" % (service, data.get("message") or data.get("channel") or data.get("user") or "")] += 1


def server(back):
    # A ROUTER, which need not answer; the envelope has the three frames of a REQ that came through a broker.
    socket = context.socket(zmq.ROUTER)
    socket.connect(back)
    while True:
        frames = socket.recv_multipart()
        broker, client, empty, payload = frames
        request = msgpack.unpackb(payload, raw=False)
        service, data = request["service"], request["data"]
        count(service, data)
        reply = serve(service, data)
        if "esconhecido" in str(reply) and args.unknown == "silent":
            continue
        name = "erro" if "esconhecido" in str(reply) else service
        socket.send_multipart([broker, client, empty, msgpack.packb({"service": name, "data": answer(reply)})])


def reference(socket):
    ranks = {}
    while True:
        request = msgpack.unpackb(socket.recv(), raw=False)
        service, data = request["service"], request["data"]
        counts["reference " + service] += 1
        if service == "rank":
            reply = {"rank": ranks.setdefault(data["user"], len(ranks) + 1)}
        elif service == "list":
            reply = {"list": [{"name": name, "rank": rank} for name, rank in ranks.items()]}
        elif service == "heartbeat":
            reply = {"status": "OK"}
        else:
            reply = {"status": "erro", "description": "Serviço desconhecido"}
        socket.send(msgpack.packb({"service": service, "data": answer(reply)}))


front, broker = bound(zmq.ROUTER)
back, servers = bound(zmq.DEALER)
forward(front, back)
xsub, publishers = bound(zmq.XSUB)
xpub, proxy = bound(zmq.XPUB)
forward(xsub, xpub)
rep, referenced = bound(zmq.REP)
publisher = context.socket(zmq.PUB)
publisher.connect(publishers)
for work, argument in ((server, servers), (reference, rep)):
    threading.Thread(target=work, args=(argument,), daemon=True).start()
print(json.dumps({"broker": broker, "proxy": proxy, "reference": referenced}), flush=True)
sys.stdin.read()
print(json.dumps(counts), flush=True)
os._exit(0)
