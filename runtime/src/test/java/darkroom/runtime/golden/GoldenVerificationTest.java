package darkroom.runtime.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.runtime.Darkroom;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class GoldenVerificationTest {
    private static final JsonMapper JSON = new JsonMapper();

    private static GoldenVerification verification;

    private final Path directory;

    GoldenVerificationTest(@TempDir Path directory) {
        this.directory = directory;
    }

    @BeforeAll
    static void startTorch() {
        verification = new GoldenVerification();
    }

    @AfterAll
    static void close() {
        verification.close();
    }

    static Stream<String> files() {
        return GoldenVerification.files(golden()).stream().map(file -> String.valueOf(file.getFileName()));
    }

    @Test
    void everyGoldenFilePassesAndTheCommandSaysSo() {
        Output output = run(golden());
        assertThat(output.text()).contains("solver.json: 48 passed, 0 failed", "6 files: 144 passed, 0 failed");
        assertThat(output.exitCode()).isZero();
    }

    @Test
    void casesOfAnotherNumberUnderAnotherNamePass() throws IOException {
        ArrayNode cases = JSON.createArrayNode();
        cases.add(cases("solver.json").get(5)).add(cases("flow-grpo.json").get(3));
        assertThat(verify(cases).passed()).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({
        "solver.json, /sigmas/1",
        "solver.json, /trajectory/3",
        "solver.json, /initial",
        "solver.json, /velocity/mean",
        "reward-scores.json, /expected/mass",
        "reward-scores.json, /expected/score",
        "reward-scores.json, /topLogprobs/1/1",
        "group-statistics.json, /globalStd",
        "group-statistics.json, /groups/1/mean",
        "group-statistics.json, /groups/1/std",
        "group-statistics.json, /groups/1/advantages/1",
        "group-statistics.json, /groups/1/optimality/0",
        "nft-loss.json, /loss",
        "nft-loss.json, /gradVTheta/1/0",
        "nft-loss.json, /samples/0/xt/2",
        "nft-loss.json, /samples/0/positiveLoss",
        "nft-loss.json, /samples/0/negativeLoss",
        "nft-loss.json, /samples/1/policyLoss",
        "nft-loss.json, /samples/1/klLoss",
        "nft-loss.json, /samples/1/vOld/2",
        "flow-grpo.json, /mean/4",
        "flow-grpo.json, /std",
        "flow-grpo.json, /next/0",
        "flow-grpo.json, /logProb",
        "flow-grpo.json, /newLogProb",
        "flow-grpo.json, /loss",
        "optimizer.json, /history/3/gradNorm",
        "optimizer.json, /history/11/weights/2",
        "optimizer.json, /history/5/ema/0",
        "optimizer.json, /history/5/old/1",
        "optimizer.json, /history/5/emaDecay",
        "optimizer.json, /history/5/oldDecay",
        "optimizer.json, /gradients/0/0",
        "optimizer.json, /start/0"
    })
    void aNumberThatIsOffByAMillionthFails(String file, String pointer) throws IOException {
        JsonNode changed = cases(file).get(0);
        double before = changed.at(pointer).doubleValue();
        set(changed, pointer, JSON.getNodeFactory().numberNode(before * (1 + 1e-6)));
        GoldenVerification.FileResult result = verify(changed);
        assertThat(result.failed()).isOne();
        assertThat(result.failures().getFirst()).contains("expected", "got", "relative error");
    }

    @ParameterizedTest
    @CsvSource({"reward-scores.json, /expected/scored", "group-statistics.json, /groups/1/kept"})
    void aDecisionThatIsTurnedRoundFails(String file, String pointer) throws IOException {
        JsonNode changed = cases(file).get(0);
        set(
                changed,
                pointer,
                JSON.getNodeFactory().booleanNode(!changed.at(pointer).booleanValue()));
        assertThat(verify(changed).failed()).isOne();
    }

    @ParameterizedTest
    @MethodSource("files")
    void aCaseWithoutOneOfItsFieldsFails(String file) throws IOException {
        ObjectNode whole = (ObjectNode) cases(file).get(0);
        for (String field : (Iterable<String>) () -> whole.fieldNames()) {
            GoldenVerification.FileResult result = verify(whole.deepCopy().without(field));
            assertThat(result.failed()).as(field).isOne();
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void aFieldThatTheFormatDoesNotHaveFails(String file) throws IOException {
        ObjectNode changed = (ObjectNode) cases(file).get(0);
        changed.put("flavour", 1);
        assertThat(verify(changed).failures().getFirst()).contains("flavour");
    }

    @Test
    void aFieldTooManyDeepInsideFails() throws IOException {
        JsonNode changed = cases("nft-loss.json").get(0);
        ((ObjectNode) changed.at("/samples/1")).put("flavour", 1);
        assertThat(verify(changed).failures().getFirst()).contains("samples[1]", "flavour");
    }

    @ParameterizedTest
    @CsvSource({
        "solver.json, /solver, heun, euler",
        "solver.json, /schedule, cosine, kontext",
        "solver.json, /velocity/kind, mixture, gaussian",
        "reward-scores.json, /method, stars, yes-no-logit",
        "nft-loss.json, /weighting, huber, adaptive"
    })
    void aValueThatNobodyKnowsFailsAndTheKnownOnesAreNamed(String file, String pointer, String value, String known)
            throws IOException {
        JsonNode changed = cases(file).get(0);
        set(changed, pointer, JSON.getNodeFactory().textNode(value));
        assertThat(verify(changed).failures().getFirst()).contains(value, known);
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", "{}", "[{}]", "[1]", "[[", "", "[] []", "[{\"loss\": 1}]", "[{\"a\": 1, \"a\": 2}]"})
    void whatIsNoArrayOfCasesFails(String text) throws IOException {
        Path file = Files.writeString(directory.resolve("odd.json"), text);
        assertThat(verification.verify(file).failed()).isOne();
    }

    @Test
    void anUnknownFileBesideGoodOnesFailsTheDirectory() throws IOException {
        Files.copy(golden().resolve("flow-grpo.json"), directory.resolve("a.json"));
        Files.writeString(directory.resolve("notes.txt"), "These are not test vectors.");
        Files.createDirectory(directory.resolve("more"));
        Output output = run(directory);
        assertThat(output.text()).contains("a.json: 10 passed, 0 failed", "3 files: 10 passed, 2 failed");
        assertThat(output.exitCode()).isOne();
    }

    @Test
    void nothingToVerifyIsNoSuccess() {
        assertThat(run(directory).exitCode()).isOne();
        assertThat(run(directory.resolve("absent")).exitCode()).isEqualTo(2);
    }

    private record Output(int exitCode, String text) {}

    private static Output run(Path directory) {
        StringWriter out = new StringWriter();
        CommandLine commands = Darkroom.commandLine();
        commands.setOut(new PrintWriter(out));
        commands.setErr(new PrintWriter(out));
        return new Output(commands.execute("verify", "golden", directory.toString()), out.toString());
    }

    private GoldenVerification.FileResult verify(JsonNode cases) throws IOException {
        Path file = directory.resolve("cases.json");
        JSON.writeValue(file.toFile(), cases.isArray() ? cases : List.of(cases));
        return verification.verify(file);
    }

    private static JsonNode cases(String file) throws IOException {
        return JSON.readTree(golden().resolve(file).toFile());
    }

    private static void set(JsonNode root, String pointer, JsonNode value) {
        int slash = pointer.lastIndexOf('/');
        String last = pointer.substring(slash + 1);
        switch (root.at(pointer.substring(0, slash))) {
            case ArrayNode array -> array.set(Integer.parseInt(last), value);
            case ObjectNode object -> object.set(last, value);
            case JsonNode other -> throw new IllegalArgumentException(pointer + " is in " + other);
        }
    }

    private static Path golden() {
        try {
            return Path.of(Objects.requireNonNull(GoldenVerificationTest.class.getResource("/golden"))
                    .toURI());
        } catch (URISyntaxException e) {
            throw new UncheckedIOException(new IOException(e));
        }
    }

    @Test
    void a_directory_that_cannot_be_listed_is_named_with_the_reason() {
        Path gone = directory.resolve("gone");
        assertThatThrownBy(() -> GoldenVerification.files(gone))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessage(gone + " cannot be listed: no such file or directory");
    }
}
