package darkroom.rewardactors.suites;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.config.ErrorReason;
import darkroom.config.PictureView;
import darkroom.edittasks.pictures.FileFault;
import darkroom.rewardactors.suites.JudgedItem.Answer;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Result of a suite, and its file ({@code eval.json}): settings, means, every item's figures with the judge's answer or the
 * reason why they are missing. An answer in the file is not requested again while model, sampling settings, prompt, both
 * pictures and the way they are read are the same. Used by one thread, except for {@link #stop}.
 */
public final class SuiteResult {
    private static final String FORMAT = "darkroom-suite-1";

    /** Maximum number of answers kept without an item in this result; those beyond are requested again when needed. */
    private static final int EARLIER_MAX = 20_000;

    private static final JsonMapper JSON = new JsonMapper();

    private final EditSuite suite;
    private final TextJudge judge;
    private final Map<String, JudgeReply.Scores> earlier;
    private final SuiteRun run;
    private final Map<String, JudgedItem> judged = new LinkedHashMap<>();

    private SuiteResult(EditSuite suite, TextJudge judge, PictureView view, Map<String, JudgeReply.Scores> earlier) {
        this.suite = suite;
        this.judge = judge;
        this.earlier = earlier;
        this.run = new SuiteRun(suite, judge, view, earlier);
    }

    /**
     * Creates a result with only the answers of an earlier one of the same suite and judge.
     *
     * @param judge closed by its owner, or by {@link #stop}
     * @param file of the earlier result; it may be missing
     * @throws SuiteItemsException if the file is not such a result: it would be lost if it were overwritten
     */
    public static SuiteResult after(Path file, EditSuite suite, TextJudge judge, PictureView view) {
        return new SuiteResult(suite, judge, view, Files.exists(file) ? earlier(file, suite, judge) : Map.of());
    }

    private static Map<String, JudgeReply.Scores> earlier(Path file, EditSuite suite, TextJudge judge) {
        JsonNode all;
        try {
            all = JSON.readTree(Files.readString(file));
        } catch (JsonProcessingException e) {
            throw otherFile(file, "is no result of a suite (" + ErrorReason.located(e) + ")");
        } catch (CharacterCodingException e) {
            throw otherFile(file, "is no result of a suite (" + ErrorReason.of(e) + ")");
        } catch (IOException e) {
            throw new SuiteItemsException("%s cannot be read: %s".formatted(file, FileFault.reason(e, file)));
        }
        if (!all.path("format").asText().equals(FORMAT)) {
            throw otherFile(
                    file,
                    "is no result of a suite (its format is %s, not \"%s\")"
                            .formatted(all.path("format").isMissingNode() ? "missing" : all.path("format"), FORMAT));
        }
        if (!all.path("suite").asText().equals(suite.name())) {
            throw otherFile(file, "is a result of suite " + all.path("suite").asText());
        }
        JsonNode asked = all.path("judge");
        if (!asked.path("model").asText().equals(judge.model())
                || !asked.path("deciding").equals(JSON.valueToTree(deciding(judge)))) {
            throw otherFile(
                    file,
                    "has answers of judge %s with %s, not of %s with %s"
                            .formatted(
                                    asked.path("model").asText(),
                                    asked.path("deciding"),
                                    judge.model(),
                                    deciding(judge)));
        }
        Map<String, JudgeReply.Scores> answers = new HashMap<>();
        for (JsonNode item : all.path("items")) {
            for (JsonNode answer : item.path("answers")) {
                keep(file, "item " + item.path("id"), answer, answers);
            }
        }
        for (JsonNode answer : all.path("earlier")) {
            keep(file, "earlier answer " + answer.path("digest"), answer, answers);
        }
        return answers;
    }

    private static SuiteItemsException otherFile(Path file, String what) {
        return new SuiteItemsException("%s %s; name another file with --out".formatted(file, what));
    }

    /** @param where item of the answer, for display */
    private static void keep(Path file, String where, JsonNode answer, Map<String, JudgeReply.Scores> answers) {
        JsonNode scores = answer.path("scores");
        if (scores.isArray() && !scores.isEmpty() && answer.path("digest").isTextual()) {
            List<Double> values = new ArrayList<>();
            for (JsonNode score : scores) {
                if (!score.isNumber()) {
                    throw otherFile(file, "is damaged: %s has score %s, which is no number".formatted(where, score));
                }
                values.add(score.doubleValue());
            }
            answers.put(
                    answer.path("digest").textValue(),
                    new JudgeReply.Scores(
                            values,
                            answer.path("text").asText(),
                            answer.path("attempts").asInt()));
        }
    }

    /** Returns the sampling settings except the maximum length of an answer. */
    static ObjectNode deciding(TextJudge judge) {
        ObjectNode sampling = judge.sampling();
        sampling.remove("max_tokens");
        return sampling;
    }

    /**
     * Judges every item.
     *
     * @param told called on this thread after each item
     * @throws InterruptedException if this thread is interrupted; the judge is then closed
     */
    public void judge(Consumer<SuiteResult> told) throws InterruptedException {
        run.run(one -> {
            judged.put(one.item().id(), one);
            told.accept(this);
        });
    }

    /**
     * Begins no further item, ends those in work, and closes the judge; {@link #judge} then returns soon. Safe on any thread.
     */
    public void stop() {
        run.stop();
    }

    /** Number of items that have all scores. */
    public int valid() {
        return (int) judged.values().stream()
                .filter(each -> each.scores().isPresent())
                .count();
    }

    /** Number of items without a number, except those not reached. */
    public int invalid() {
        return (int) judged.values().stream()
                .filter(each -> each.scores().isEmpty() && !each.isInterrupted())
                .count();
    }

    /** Whether every item was reached. */
    public boolean isComplete() {
        return valid() + invalid() == suite.items().size();
    }

    /** Number of items whose answers all come from an earlier result. */
    public int kept() {
        return (int) judged.values().stream()
                .filter(each -> each.answers().stream().allMatch(Answer::kept))
                .count();
    }

    /** Returns each invalid item with its reason, one line, in the order of the suite. */
    public List<String> reasons() {
        List<String> lines = new ArrayList<>();
        for (SuiteItem item : suite.items()) {
            JudgedItem one = judged.get(item.id());
            if (one != null && !one.isInterrupted()) {
                one.reason().ifPresent(reason -> lines.add(item.id() + ": " + reason));
            }
        }
        return lines;
    }

    /** Returns the means so far. */
    public List<SuiteTable> tables() {
        return suite.tables(List.copyOf(judged.values()));
    }

    /** Returns a further remark, one line. */
    public Optional<String> remark() {
        return suite.remark(List.copyOf(judged.values()));
    }

    /**
     * Returns the content of the file.
     *
     * @param settings description of the caller's files and options
     */
    public byte[] json(ObjectNode settings) {
        ObjectNode all = JSON.createObjectNode();
        all.put("format", FORMAT).put("suite", suite.name()).put("complete", isComplete());
        all.set("settings", settings);
        ObjectNode asked = all.putObject("judge");
        asked.put("name", judge.name()).put("model", judge.model()).put("vllm", judge.version());
        asked.set("deciding", deciding(judge));
        asked.put("max_tokens", judge.sampling().path("max_tokens").intValue());
        ObjectNode prompts = all.putObject("prompts");
        suite.prompts()
                .forEach(prompt -> prompts.put(
                        prompt.name(), SuitePictures.sha256(prompt.text().getBytes(StandardCharsets.UTF_8))));
        ArrayNode tables = all.putArray("tables");
        tables().forEach(table -> put(tables.addObject(), table));
        remark().ifPresent(remark -> all.put("remark", remark));
        ArrayNode items = all.putArray("items");
        Set<String> told = new HashSet<>();
        for (SuiteItem item : suite.items()) {
            JudgedItem one = judged.get(item.id());
            if (one != null) {
                put(items.addObject(), one);
                one.answers().forEach(answer -> told.add(answer.digest()));
            }
        }
        ArrayNode rest = all.putArray("earlier");
        new TreeMap<>(earlier).forEach((digest, said) -> {
            if (!told.contains(digest) && rest.size() < EARLIER_MAX) {
                put(rest.addObject().put("digest", digest), said);
            }
        });
        return (all.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8);
    }

    private static void put(ObjectNode into, SuiteTable table) {
        into.put("title", table.title());
        ArrayNode groups = into.putArray("groups");
        table.groups().forEach(row -> put(groups.addObject(), table, row));
        put(into.putObject("overall"), table, table.overall());
        ArrayNode missing = into.putArray("missing");
        table.missing().forEach(missing::add);
    }

    private static void put(ObjectNode into, SuiteTable table, SuiteTable.Row row) {
        into.put("name", row.name()).put("items", row.items());
        into.put("valid", row.valid()).put("invalid", row.invalid()).put("invalidShare", row.invalidShare());
        for (int c = 0; c < table.columns().size(); c++) {
            OptionalDouble mean = row.means().get(c);
            if (mean.isPresent()) {
                into.put(table.columns().get(c), mean.getAsDouble());
            } else {
                into.putNull(table.columns().get(c));
            }
        }
    }

    private void put(ObjectNode into, JudgedItem one) {
        SuiteItem item = one.item();
        into.put("id", item.id()).put("group", item.group());
        if (!item.language().isEmpty()) {
            into.put("language", item.language()).put("intersection", item.intersection());
        }
        into.put("instruction", item.instruction());
        Optional<List<List<Double>>> scores = one.scores();
        for (int c = 0; c < suite.figures().size(); c++) {
            String name = suite.figures().get(c);
            if (scores.isPresent()) {
                into.put(name, suite.figures(scores.get()).get(c));
            } else {
                into.putNull(name);
            }
        }
        into.put("invalid", one.reason().orElse(null));
        ArrayNode answers = into.putArray("answers");
        for (Answer answer : one.answers()) {
            ObjectNode each = answers.addObject().put("question", answer.question());
            each.put("digest", answer.digest());
            switch (answer.said()) {
                case JudgeReply.Scores said -> put(each, said);
                case JudgeReply.Nothing(String reason, int attempts) ->
                    each.put("invalid", reason).put("attempts", attempts);
            }
            each.put("kept", answer.kept());
        }
    }

    private static void put(ObjectNode into, JudgeReply.Scores said) {
        ArrayNode scores = into.putArray("scores");
        said.scores().forEach(scores::add);
        into.put("text", said.text()).put("attempts", said.attempts());
    }
}
