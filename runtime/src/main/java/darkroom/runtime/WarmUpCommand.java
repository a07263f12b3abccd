package darkroom.runtime;

import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.bench.Rehearsal;
import darkroom.runtime.cluster.ControlNode;
import darkroom.runtime.cluster.WorkerNode;
import darkroom.runtime.run.RunEnvironment;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;

/**
 * Runs one step with virtual devices on a cluster of two nodes in one process. The launcher records the loaded classes
 * so that nodes start faster.
 */
@Command(
        name = "warm-up",
        hidden = true,
        description = "One virtual step on two nodes in this process; the launcher records it.")
final class WarmUpCommand implements Callable<Integer> {
    private static final int SECONDS_MAX = 60;

    @Override
    public Integer call() throws IOException, InterruptedException {
        rehearse();
        return ExitCode.OK.code();
    }

    /** Loads and compiles what a control node and its workers need, by running a cluster of its own. */
    static void rehearse() throws IOException, InterruptedException {
        RunSettings settings = Recipes.load(
                "embedded-demo",
                List.of(
                        "workers.device=virtual",
                        "workers.virtual.rollout=1ms",
                        "workers.virtual.score=1ms",
                        "workers.virtual.unit=1ms",
                        "rollout.groups-per-step=2",
                        "rollout.images-per-group=2",
                        "groups.scored-min=1",
                        "steps=300"));
        CountDownLatch joined = new CountDownLatch(1);
        List<WorkerNode> nodes = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        RunEnvironment.Opener opener = ControlNode.with(
                List.of(ControlNode.ROLE),
                open -> {
                    RunSettings own =
                            Recipes.load("embedded-demo", List.of("cluster.seed-nodes=[\"" + open.address() + "\"]"));
                    WorkerNode node =
                            new WorkerNode(own, List.of("rollout", "trainer", "reward"), 1, 1, _ -> joined.countDown());
                    nodes.add(node);
                    threads.add(Thread.ofPlatform().name("warm-up").start(() -> run(node)));
                },
                () -> nodes.forEach(WorkerNode::close));
        try (RunEnvironment environment = opener.open(settings)) {
            Rehearsal.run(settings, _ -> {}, () -> await(joined), environment);
            for (Thread thread : threads) {
                thread.join(TimeUnit.SECONDS.toMillis(SECONDS_MAX));
            }
        }
    }

    private static void await(CountDownLatch joined) throws InterruptedException {
        if (!joined.await(SECONDS_MAX, TimeUnit.SECONDS)) {
            throw new CommandFailedException("the node has not joined within " + SECONDS_MAX + " s");
        }
    }

    private static void run(WorkerNode node) {
        try {
            var _ = node.run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
