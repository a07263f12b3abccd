package darkroom.runtime.bench;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.actors.device.ScoreOutcome;
import darkroom.config.Recipes;
import darkroom.config.ScoringSettings;
import darkroom.rewardactors.client.ScorerAccess;
import darkroom.rewardactors.client.ScorerClient;
import darkroom.rewardactors.protocol.PngImage;
import darkroom.rewardactors.protocol.ScoreRequest;
import darkroom.rewardactors.simulation.SimulatedScorer;
import darkroom.runtime.base.ExitCode;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.LongFunction;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * Compares the throughput of the scorer client with the capacity of scorers, against servers that answer after a given
 * time.
 */
@Command(
        name = "scoring",
        description = {
            "The scorer client against servers of a known latency: time of all images over the ideal, with one server;"
                    + " with four of which one hangs; and the 99th percentile with and without hedging, of a"
                    + " latency with a heavy tail.",
            "",
            "Medians of rounds; each round has a client and servers of its own. Pictures are encoded before."
        })
public final class ScoringBench implements Callable<Integer> {
    private static final int SIDE = 64;
    private static final int WARM_ROUNDS = 8;
    private static final double TAIL_SHARE = .02;
    private static final int TAIL_FACTOR = 40;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--images",
            paramLabel = "N",
            defaultValue = "288",
            description = "Images of a round. Default: ${DEFAULT-VALUE}")
    private int images;

    @Option(
            names = "--latency",
            paramLabel = "MS",
            defaultValue = "200",
            description = "Time of an answer, milliseconds. Default: ${DEFAULT-VALUE}")
    private int latencyMillis;

    @Option(
            names = "--concurrency",
            paramLabel = "N",
            defaultValue = "32",
            description = "Requests in flight, of all servers together. Default: ${DEFAULT-VALUE}")
    private int concurrency;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "5",
            description = "Rounds of each case. Default: ${DEFAULT-VALUE}")
    private int rounds;

    /**
     * Result of a round.
     *
     * @param millis of each image, from the request to its outcome
     */
    private record Round(double seconds, List<Double> millis, int unscored, long hedged) {}

    /** Servers of a round. */
    @FunctionalInterface
    private interface Servers {
        List<SimulatedScorer> start() throws IOException;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        LongFunction<Duration> usual = _ -> Duration.ofMillis(latencyMillis);
        for (int i = 0; i < WARM_ROUNDS; i++) {
            round(() -> List.of(SimulatedScorer.plain(_ -> Duration.ZERO)), concurrency, concurrency, true);
        }
        double ideal = Math.ceil(images / (double) concurrency) * latencyMillis / 1000;
        say(out, "one server", ideal, all(() -> List.of(SimulatedScorer.plain(usual)), concurrency, concurrency, true));

        int each = Math.max(1, concurrency / 4);
        double idealOfThree = Math.ceil(images / (3.0 * each)) * latencyMillis / 1000;
        say(out, "four servers, one hangs", idealOfThree, all(() -> fourWithOneThatHangs(usual), each, 4 * each, true));

        LongFunction<Duration> tailed = this::tailed;
        Servers four = () -> List.of(
                SimulatedScorer.plain(tailed),
                SimulatedScorer.plain(number -> tailed(number + 1_000_000)),
                SimulatedScorer.plain(number -> tailed(number + 2_000_000)),
                SimulatedScorer.plain(number -> tailed(number + 3_000_000)));
        say(out, "heavy tail", Double.NaN, all(four, each, 2 * each, false));
        say(out, "heavy tail, hedged", Double.NaN, all(four, each, 2 * each, true));
        return ExitCode.OK.code();
    }

    private List<SimulatedScorer> fourWithOneThatHangs(LongFunction<Duration> usual) throws IOException {
        List<SimulatedScorer> servers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            servers.add(SimulatedScorer.plain(usual));
        }
        servers.get(2).hang(true);
        return servers;
    }

    /** Returns a quarter of the latency, up to a tenth more; one in fifty takes {@value #TAIL_FACTOR} times as long. */
    private Duration tailed(long number) {
        SplittableRandom chance = new SplittableRandom(number);
        double millis = latencyMillis / 4.0 * (1 + chance.nextDouble() / 10);
        return Duration.ofNanos((long) (1e6 * millis * (chance.nextDouble() < TAIL_SHARE ? TAIL_FACTOR : 1)));
    }

    private List<Round> all(Servers servers, int atEach, int inFlight, boolean hedging)
            throws IOException, InterruptedException {
        List<Round> all = new ArrayList<>();
        for (int i = 0; i < rounds; i++) {
            all.add(round(servers, atEach, inFlight, hedging));
        }
        return all;
    }

    private Round round(Servers started, int atEach, int inFlight, boolean hedging)
            throws IOException, InterruptedException {
        List<SimulatedScorer> servers = started.start();
        ScoringSettings settings = Recipes.load(
                        "embedded-demo", List.of("scoring.concurrency=" + atEach, "scoring.hedging=" + hedging))
                .scoring();
        try (ScorerClient client =
                new ScorerClient(servers.stream().map(SimulatedScorer::url).toList(), settings, ScorerAccess.NONE)) {
            Semaphore places = new Semaphore(inFlight);
            double[] millis = new double[images];
            List<ScoreRequest> requests =
                    IntStream.range(0, images).mapToObj(ScoringBench::request).toList();
            List<CompletableFuture<ScoreOutcome>> asked = new ArrayList<>();
            // Servers are probed before there is traffic.
            var _ = client.score(requests.getFirst()).toCompletableFuture().join();
            long began = System.nanoTime();
            for (int i = 0; i < images; i++) {
                places.acquire();
                int image = i;
                long then = System.nanoTime();
                asked.add(client.score(requests.get(i)).toCompletableFuture().whenComplete((_, _) -> {
                    millis[image] = (System.nanoTime() - then) / 1e6;
                    places.release();
                }));
            }
            int unscored = 0;
            for (CompletableFuture<ScoreOutcome> outcome : asked) {
                unscored += outcome.join() instanceof ScoreOutcome.Scored ? 0 : 1;
            }
            double seconds = (System.nanoTime() - began) / (double) TimeUnit.SECONDS.toNanos(1);
            return new Round(seconds, Arrays.stream(millis).boxed().toList(), unscored, client.hedged());
        } finally {
            servers.forEach(SimulatedScorer::close);
        }
    }

    private static ScoreRequest request(int number) {
        byte[] rgb = new byte[SIDE * SIDE * 3];
        new SplittableRandom(number).nextBytes(rgb);
        PngImage picture = PngImage.ofPixels(SIDE, SIDE, rgb);
        return new ScoreRequest("image " + number, picture, picture, null, "make it blue", "");
    }

    private void say(PrintWriter out, String name, double idealSeconds, List<Round> all) {
        double[] seconds = all.stream().mapToDouble(Round::seconds).sorted().toArray();
        double[] millis = all.stream()
                .flatMap(round -> round.millis().stream())
                .mapToDouble(Double::doubleValue)
                .sorted()
                .toArray();
        double median = seconds[seconds.length / 2];
        ObjectNode figures = new JsonMapper().createObjectNode();
        figures.put("case", name).put("images", images).put("seconds", rounded(median));
        if (!Double.isNaN(idealSeconds)) {
            figures.put("idealSeconds", rounded(idealSeconds)).put("overIdeal", rounded(median / idealSeconds));
        }
        figures.put("p50Millis", rounded(millis[millis.length / 2]))
                .put("p99Millis", rounded(millis[(int) (millis.length * .99)]))
                .put("unscored", all.stream().mapToInt(Round::unscored).sum())
                .put(
                        "extraRequests",
                        rounded(all.stream().mapToLong(Round::hedged).sum() / (double) (images * all.size())));
        out.println(figures);
        out.flush();
    }

    private static double rounded(double value) {
        return Math.round(value * 1000) / 1000.0;
    }
}
