package darkroom.rewardactors.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreOutcome.Scored;
import darkroom.config.ScoringSettings;
import darkroom.rewardactors.protocol.PngImage;
import darkroom.rewardactors.protocol.ScoreRequest;
import darkroom.rewardactors.protocol.ScoringMethod;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests a judge that train_judge.py has briefly trained, served by a real vLLM. */
@Tag("vllm")
class RealVllmJudgeTest {
    private static final int SIDE = 32;
    private static final int ROWS = 64;
    private static final int EDITS = 4;
    private static final int PAIRS = 8;
    private static final String TASK = "adjust";
    private static final ScoringMethod METHOD = ScoringMethod.of(ScoringSettings.Method.SCORE_LOGIT);

    private final Path folder;
    private final Random random = new Random(7);

    RealVllmJudgeTest(@TempDir Path folder) {
        this.folder = folder;
    }

    /** P-3: with two pictures or three, the server's score is that of the model itself. */
    @Test
    void what_was_trained_is_what_is_served() throws Exception {
        Path examples = Files.createDirectory(folder.resolve("examples"));
        ByteArrayOutputStream pictures = new ByteArrayOutputStream();
        Files.write(examples.resolve("train.jsonl"), rows(ROWS, pictures));
        Files.write(examples.resolve("held-out.jsonl"), rows(2, pictures));
        Files.write(examples.resolve("pictures.rgb"), pictures.toByteArray());

        Path pairs = folder.resolve("pairs.jsonl");
        List<ScoreRequest> requests = new ArrayList<>();
        List<String> lines = new ArrayList<>();
        for (int pair = 0; pair < PAIRS; pair++) {
            PngImage reference = pair % 4 == 0 ? picture() : null;
            ScoreRequest request = new ScoreRequest(
                    "pair " + pair,
                    picture(),
                    picture(),
                    reference,
                    instruction(pair),
                    "Only the square changes.",
                    TASK);
            requests.add(request);
            ObjectNode line = new JsonMapper()
                    .createObjectNode()
                    .put("id", request.name())
                    .put("source", file(request.source(), pair + "-source.png"))
                    .put("edited", file(request.edited(), pair + "-edited.png"))
                    .put("instruction", request.instruction())
                    .put("requirement", request.requirement())
                    .put("system", METHOD.system())
                    .put("question", METHOD.words(request));
            if (reference != null) {
                line.put("reference", file(reference, pair + "-reference.png"));
            }
            lines.add(line.toString());
        }
        Files.write(pairs, lines);

        ScoringSettings settings = TestScoring.with("concurrency=8", "timeout=60s", "attempts=3", "label-mass-min=0");
        try (RealVllm vllm = RealVllm.trained(folder, examples)) {
            List<String> truth = vllm.reference(pairs).lines().toList();
            vllm.start();
            try (ScorerClient client = new ScorerClient(vllm.url(), settings, ScorerAccess.NONE)) {
                for (int pair = 0; pair < PAIRS; pair++) {
                    JsonNode expected = new JsonMapper().readTree(truth.get(pair));
                    assertThat(score(client, requests.get(pair)))
                            .isCloseTo(expected.path("score").doubleValue(), within(1e-4));
                }
            }
        }
    }

    private String file(PngImage picture, String name) throws IOException {
        Files.write(folder.resolve(name), picture.toBytes());
        return name;
    }

    private static double score(ScorerClient client, ScoreRequest request) throws Exception {
        ScoreOutcome outcome = client.score(request).toCompletableFuture().get(120, TimeUnit.SECONDS);
        assertThat(outcome).isInstanceOf(Scored.class);
        return ((Scored) outcome).score();
    }

    /** Random pictures and true scores. */
    private List<String> rows(int count, ByteArrayOutputStream pictures) throws IOException {
        List<String> rows = new ArrayList<>();
        for (int row = 0; row < count; row++) {
            ObjectNode line = new JsonMapper().createObjectNode();
            line.put("side", SIDE);
            boolean reference = row % 8 == 0;
            line.put("system", METHOD.system());
            line.put("question", METHOD.words(instruction(row), "Only the square changes.", TASK, reference));
            line.put("source", add(pictures));
            line.put("reference", reference ? add(pictures) : null);
            line.put("target", add(pictures));
            for (int edit = 0; edit < EDITS; edit++) {
                line.withArray("edited").add(add(pictures));
                line.withArray("truth").add(random.nextDouble());
            }
            rows.add(line.toString());
        }
        return rows;
    }

    private static String instruction(int row) {
        return "make the square " + List.of("blue", "red", "green", "yellow").get(row % 4);
    }

    private Integer add(ByteArrayOutputStream pictures) throws IOException {
        byte[] rgb = new byte[3 * SIDE * SIDE];
        random.nextBytes(rgb);
        pictures.write(rgb);
        return pictures.size() / rgb.length - 1;
    }

    private PngImage picture() {
        byte[] rgb = new byte[3 * SIDE * SIDE];
        random.nextBytes(rgb);
        return PngImage.ofPixels(SIDE, SIDE, rgb);
    }
}
