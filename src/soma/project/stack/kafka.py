"""Apache Kafka as one node, broker and controller in one (KRaft): Maven's jars on this machine's java."""

import base64
import re
import subprocess
import uuid
from pathlib import Path

from soma.base.errors import Unavailable
from soma.project.stack import cache
from soma.project.stack.build_maven import maven_key, resolve_jars
from soma.project.stack.cache import Progress
from soma.project.stack.kafka_metadata import brokers
from soma.project.stack.kind import Kind, Program
from soma.project.stack.pins import maven_version
from soma.project.stack.place import Place
from soma.project.stack.ports import HOST
from soma.project.stack.process import Launch
from soma.project.stack.tool import find_tool, read_tool

POM = "kafka/pom.xml"
OLDEST_JAVA = 17
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{inner_port}
listeners=BROKER://{host}:{port},CONTROLLER://{host}:{inner_port}
advertised.listeners=BROKER://{host}:{port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs={data}
auto.create.topics.enable=false
message.max.bytes=4194304
replica.fetch.max.bytes=4194304
log.retention.hours=720
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
num.partitions=1
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
"""
LOGGING = """\
status=warn
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %c{1} %m%n
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
"""
TOOLS = {
    "console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "topics": "org.apache.kafka.tools.TopicCommand",
}
"""Kafka's own tools, by the names that its scripts give them."""


class Kafka(Kind):
    """Keeps 30 days of messages of up to 4 MiB; topics are made on purpose only."""

    name = "kafka"
    port = 29092
    variable = "SOMAGENT_KAFKA_SERVERS"
    setting = "kafka_servers"
    stop_seconds = 30.0

    def cached(self) -> bool:
        """See Kind."""
        return cache.cached(self.name, maven_key(POM)) is not None

    def program(self, progress: Progress) -> Program:
        """See Kind."""
        _java()
        jars = resolve_jars(self.name, pom=POM, progress=progress)
        return Program(path=jars, version=maven_version(POM, "kafka_2.13"), how="Maven's jars")

    def prepare(self, place: Place, program: Program) -> None:
        """Write the settings; format the directory if it is new."""
        self._settings(place).write_text(
            PROPERTIES.format(host=HOST, port=place.port, inner_port=place.inner_port, data=place.data)
        )
        (place.directory / "log4j2.properties").write_text(LOGGING)
        if not (place.data / "meta.properties").exists():
            self._format(place, program)

    def launch(self, place: Place, program: Program) -> Launch:
        """See Kind."""
        command = (
            *java_command(program.path, heap="512m"),
            f"-Dlog4j2.configurationFile={place.directory / 'log4j2.properties'}",
            "kafka.Kafka",
            str(self._settings(place)),
        )
        return Launch(command=command, directory=place.data)

    def check(self, address: str) -> None:
        """See Kind."""
        faults = []
        for server in address.split(","):
            try:
                if brokers(server.strip()):
                    return
                faults.append(f"{server} knows of no broker that serves")
            except Unavailable as error:
                faults.append(error.detail)
        raise Unavailable("; ".join(faults))

    def address(self, place: Place) -> str:
        """See Kind."""
        return f"{HOST}:{place.port}"

    def _settings(self, place: Place) -> Path:
        return place.directory / "server.properties"

    def _format(self, place: Place, program: Program) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        command = [
            *java_command(program.path, heap="128m"), "kafka.tools.StorageTool", "format",
            # In one word: every 64th id begins with a dash, and would be taken for an option.
            f"--cluster-id={cluster}", "--config", str(self._settings(place)),
        ]  # fmt: skip
        read_tool(command, what="formatting Kafka's directory")


def java_command(jars: Path, *, heap: str) -> list[str]:
    """java with Kafka's jars. Raises Unavailable."""
    return [_java(), "-Xms64m", f"-Xmx{heap}", "-XX:+UseSerialGC", "-cp", f"{jars}/*"]


def _java() -> str:
    java = find_tool("java", needed_for="Kafka")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    match = re.search(r'version "(\d+)', said.stderr)
    if match is None or int(match[1]) < OLDEST_JAVA:
        found = match[1] if match else "none that runs"
        raise Unavailable(f"Kafka needs Java {OLDEST_JAVA} or newer; `java` here is {found}")
    return java
