package darkroom.rewardactors.pairs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import darkroom.actors.device.ScoreOutcome;
import darkroom.config.PictureView;
import darkroom.config.ScoringSettings;
import darkroom.config.ScoringSettings.Method;
import darkroom.rewardactors.client.FaultyScorer;
import darkroom.rewardactors.client.FaultyScorer.Behaviour;
import darkroom.rewardactors.client.ScorerAccess;
import darkroom.rewardactors.client.ScorerClient;
import darkroom.rewardactors.client.ScorerClientTest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class PairScorerTest {
    private static final JsonMapper JSON = new JsonMapper();

    private final Path folder;
    private final FaultyScorer scorer;

    PairScorerTest(@TempDir Path folder) throws IOException {
        this.folder = folder;
        this.scorer = new FaultyScorer();
    }

    @BeforeEach
    void draw() throws IOException {
        Files.createDirectory(folder.resolve("images"));
        Files.write(
                folder.resolve("images/source.png"), ScorerClientTest.source().toBytes());
        for (int i = 0; i < 10; i++) {
            Files.write(
                    folder.resolve("images/" + i + ".png"),
                    ScorerClientTest.edit(i).toBytes());
        }
    }

    @AfterEach
    void stop() throws IOException {
        scorer.close();
    }

    /** P-3 and P-4 as a user sees them: one row each, in order, in time, and no number that the scorer did not mean. */
    @ParameterizedTest
    @EnumSource(Behaviour.class)
    void whateverAScorerDoesEveryRowHasItsTrueScoreOrNone(Behaviour behaviour) throws Exception {
        scorer.behave(behaviour);
        Duration timeout = behaviour.neverEnds() ? Duration.ofMillis(250) : Duration.ofSeconds(5);
        List<JsonNode> scored = score(pairs(10), timeout, 3);
        assertThat(scored).hasSize(10);
        for (int i = 0; i < 10; i++) {
            JsonNode row = scored.get(i);
            assertThat(row.get("id").textValue()).isEqualTo("pair " + i);
            assertThat(row.get("attempts").intValue()).isPositive();
            if (row.get("score").isNull()) {
                assertThat(behaviour.code()).as("%s", row).isNotEmpty();
                assertThat(row.get("unscored").textValue()).startsWith(behaviour.code() + ": ");
                assertThat(row.get("labelMass").isNull()).isTrue();
            } else {
                assertThat(behaviour.code()).as("%s", row).isEmpty();
                assertThat(row.get("score").doubleValue())
                        .isCloseTo(FaultyScorer.truth(ScorerClientTest.edit(i)), within(1e-9));
                assertThat(row.get("unscored").isNull()).isTrue();
                assertThat(row.get("labelMass").doubleValue()).isCloseTo(.9, within(1e-9));
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"id\": \"a\"| null | bad-row: the line is no JSON: Unexpected end-of-input: expected close",
                "[\"a\"] | null | bad-row: the line is no JSON object",
                "{\"id\": \"a\"} {} | null | bad-row: the line is no JSON",
                "{\"id\": \"a\", \"id\": \"b\"} | null | bad-row: the line is no JSON: Duplicate",
                "{\"source\": \"s\"} | null | bad-row: id is missing",
                "{\"id\": 1.5} | null | bad-row: id=1.5 is not a text or an integer",
                "{\"id\": \"\\ud800\"} | null | bad-row: id holds half of a surrogate pair",
                "\uFEFF{\"id\": \"a\"} | null | bad-row: the line begins with a byte order mark",
                "{\"id\": \"a\"} | \"a\" | bad-row: source is missing",
                "{\"id\": 7, \"source\": 3} | 7 | bad-row: source=3 is not a text",
                "{\"id\": \"a\", \"source\": \"images/source.png\"} | \"a\" | bad-row: edited is missing",
                "{\"id\": \"a\", \"source\": \"images/source.png\", \"edited\": \"images/1.png\"} | \"a\" | bad-row:"
                        + " instruction is",
                "{\"id\": \"a\", \"source\": \"s\", \"edited\": \"e\", \"instruction\": \" \"} | \"a\" | bad-row:"
                        + " instruction=\" \"",
                "{\"id\": \"a\", \"source\": \"s\", \"edited\": \"e\", \"instruction\": \"i\", \"requirement\": 1} |"
                        + " \"a\" | bad-row: requirement=1",
                "{\"id\": \"a\", \"source\": \"\\u0000\", \"edited\": \"e\", \"instruction\": \"i\"} | \"a\" |"
                        + " bad-row: source or edited is no path",
                "{\"id\": \"a\", \"source\": \"images/source.png\", \"edited\": \"images/absent.png\","
                        + " \"instruction\": \"i\"} | \"a\" | no-image: ",
                "{\"id\": \"a\", \"source\": \"absent.png\", \"edited\": \"images/1.png\", \"instruction\": \"i\"} |"
                        + " \"a\" | no-image: ",
                "{\"id\": \"a\", \"source\": \"images/source.png\", \"edited\": \"images\", \"instruction\": \"i\"} |"
                        + " \"a\" | bad-image: ",
                "{\"id\": \"a\", \"source\": \"images/source.png\", \"edited\": \"pairs.jsonl\", \"instruction\":"
                        + " \"i\"} | \"a\" | bad-image: ",
                "{\"id\": \"a\", \"source\": \"images/source.png\", \"edited\": \"/dev/zero\", \"instruction\":"
                        + " \"i\"} | \"a\" | bad-image: /dev/zero: no regular file"
            })
    void aRowThatCannotBeAskedIsUnscoredWithItsReasonAndTheOthersAreScored(String line, String id, String reason)
            throws Exception {
        List<String> lines = new ArrayList<>(pairs(2));
        lines.add(1, line);
        List<JsonNode> scored = score(lines, Duration.ofSeconds(5), 1);
        assertThat(scored).hasSize(3);
        assertThat(scored.get(0).get("score").isNumber()).isTrue();
        assertThat(scored.get(1).get("score").isNull()).isTrue();
        assertThat(scored.get(1).get("id")).isEqualTo(JSON.readTree(id));
        assertThat(scored.get(1).get("unscored").textValue()).startsWith(reason).doesNotContain("Source");
        assertThat(scored.get(1).get("attempts").intValue()).isZero();
        assertThat(scored.get(2).get("score").isNumber()).isTrue();
    }

    @Test
    void aLineThatIsNotTextOrFarTooLongIsOneBadRow() throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(new byte[] {'"', (byte) 0xff, '"', '\n', '\n', ' ', '\r', '\n'});
        bytes.writeBytes(new byte[3 << 20]);
        bytes.write('\n');
        bytes.writeBytes(pairs(1).getFirst().getBytes(StandardCharsets.UTF_8));
        List<ScoredPair> scored = score(bytes.toByteArray(), Duration.ofSeconds(5), 1);
        assertThat(scored).extracting(ScoredPair::line).containsExactly(1L, 4L, 5L);
        assertThat(scored.get(0).json().get("unscored").textValue()).contains("not UTF-8");
        assertThat(scored.get(1).json().get("unscored").textValue()).contains("longer than");
        assertThat(scored.get(2).json().get("score").isNumber()).isTrue();
    }

    @Test
    void aPictureInAnotherFormatIsSentLosslesslyAsItLooks() throws Exception {
        var generated = ScorerClientTest.edit(3).decoded();
        ImageIO.write(generated, "bmp", folder.resolve("images/3.png").toFile());
        JsonNode row = score(pairs(4), Duration.ofSeconds(5), 1).get(3);
        assertThat(row.get("score").doubleValue())
                .isCloseTo(FaultyScorer.truth(ScorerClientTest.edit(3)), within(1e-9));
    }

    @Test
    void noMoreRowsAreReadThanTheirNumberAhead() throws Exception {
        scorer.behave(Behaviour.HTTP_400);
        List<String> many = Collections.nCopies(500, pairs(1).getFirst());
        Path file = Files.write(folder.resolve("pairs.jsonl"), many);
        try (ScorerClient client = client(Duration.ofSeconds(5), 1);
                PairRows rows = new PairRows(file)) {
            PairScorer pairs = new PairScorer(client, PictureView.DISPLAYED);
            List<Integer> asked = new ArrayList<>();
            pairs.score(rows, _ -> asked.add(scorer.asked()));
            assertThat(asked).hasSize(500);
            for (int i = 0; i < 500; i++) {
                assertThat(asked.get(i)).isLessThanOrEqualTo(i + pairs.rowsAhead());
            }
        }
    }

    /** P-9: four places are free, but the budget holds the pictures of one row; every row still ends. */
    @Test
    void noMorePicturesAreInMemoryThanTheirBytesAllow() throws Exception {
        scorer.behave(Behaviour.HANGS);
        Path file = Files.write(folder.resolve("pairs.jsonl"), pairs(10));
        List<ScoredPair> told = Collections.synchronizedList(new ArrayList<>());
        ScorerClient client = client(Duration.ofSeconds(60), 1);
        try (PairRows rows = new PairRows(file)) {
            FutureTask<Boolean> scoring = new FutureTask<>(() -> {
                new PairScorer(client, PictureView.DISPLAYED, 1).score(rows, told::add);
                return true;
            });
            var _ = Thread.ofVirtual().start(scoring);
            ScorerClientTest.await("a request at the scorer", () -> scorer.asked() == 1);
            LockSupport.parkNanos(50_000_000);
            assertThat(scorer.asked()).isOne();
            client.close();
            assertThat(scoring.get(20, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(told).hasSize(10).allSatisfy(pair -> assertThat(pair.outcome())
                .isInstanceOf(ScoreOutcome.Unscored.class));
    }

    private List<String> pairs(int count) {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            lines.add(JSON.createObjectNode()
                    .put("id", "pair " + i)
                    .put("source", "images/source.png")
                    .put("edited", "images/" + i + ".png")
                    .put("instruction", "make it blue")
                    .put("flavour", "not looked at")
                    .toString());
        }
        return lines;
    }

    private List<JsonNode> score(List<String> lines, Duration timeout, int attempts) throws Exception {
        byte[] bytes = String.join("\n", lines).getBytes(StandardCharsets.UTF_8);
        return score(bytes, timeout, attempts).stream()
                .<JsonNode>map(ScoredPair::json)
                .toList();
    }

    private List<ScoredPair> score(byte[] file, Duration timeout, int attempts) throws Exception {
        Path pairs = Files.write(folder.resolve("pairs.jsonl"), file);
        List<ScoredPair> scored = new ArrayList<>();
        try (ScorerClient client = client(timeout, attempts);
                PairRows rows = new PairRows(pairs)) {
            new PairScorer(client, PictureView.DISPLAYED).score(rows, scored::add);
        }
        return scored;
    }

    private ScorerClient client(Duration timeout, int attempts) {
        ScoringSettings settings = ScorerClientTest.settings(Method.SCORE_LOGIT, timeout, attempts);
        return new ScorerClient(List.of(scorer.url()), settings, ScorerAccess.NONE, Duration.ofMillis(4));
    }
}
