"""As istio-cni speaks to ztunnel: `cni-plugin.py socket uid,namespace,name,account,netns…`; further uids on standard input are deleted."""

import array
import os
import socket
import sys

path, *pods = sys.argv[1:]


def field(number, content):
    return bytes([number << 3 | 2, len(content)]) + content


listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listening.bind(path)
listening.listen(5)
print("listening", flush=True)
connection, _ = listening.accept()
print("hello", connection.recv(1024).hex(), flush=True)
for pod in pods:
    uid, namespace, name, account, netns = pod.split(",")
    info = field(1, name.encode()) + field(2, namespace.encode()) + field(3, account.encode())
    fd = os.open(netns, os.O_RDONLY)
    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))
    connection.sendmsg([field(1, field(1, uid.encode()) + field(2, info))], [rights])
    os.close(fd)
    print("added", connection.recv(1024).hex(), flush=True)
connection.send(field(3, b""))
print("snapshot", connection.recv(1024).hex(), flush=True)
for line in sys.stdin:
    connection.send(field(2, field(2, line.strip().encode())))
    print("deleted", connection.recv(1024).hex(), flush=True)
