package darkroom.rewardactors.suites;

import com.fasterxml.jackson.databind.JsonNode;
import darkroom.rewardactors.judge.JudgePrompt;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * ImgEdit-Bench, the Basic part (arXiv 2505.20275; PKU-YuanGroup/ImgEdit, Benchmark/Basic): one question per edit, three
 * grades from 1 to 5. An edit's score is the mean of its grades, rounded to 2 decimals; a type's is the mean of its edits',
 * rounded to 2; the overall one is the mean of the nine types, each counting once.
 *
 * <p>The prompt requires that the second and the third grade are not higher than the first. As published, this is not
 * enforced: {@link #remark} counts violations.
 */
public final class ImgEditSuite implements EditSuite {
    private static final int DECIMALS = 2;

    /** Type names as in the file of items. */
    private static final List<String> TYPES =
            List.of("add", "adjust", "extract", "replace", "remove", "background", "style", "compose", "action");

    /** Names used by earlier files of items. */
    private static final Map<String, String> OLDER_NAMES = Map.of("alter", "adjust");

    private static final Map<String, SuiteQuestion> QUESTIONS = TYPES.stream()
            .collect(Collectors.toUnmodifiableMap(
                    Function.identity(),
                    type -> new SuiteQuestion(
                            "grades",
                            JudgePrompt.resource("imgedit/" + type + ".txt"),
                            true,
                            false,
                            GradeLines::read)));

    private final List<SuiteItem> items;

    private ImgEditSuite(List<SuiteItem> items) {
        this.items = List.copyOf(items);
    }

    /**
     * Reads {@code basic_edit.json}: an object of key to {@code {id, prompt, edit_type}}.
     *
     * @param file of items
     * @param sources directory in which {@code id} names the original
     * @param images directory of edits, {@code <key>.png} or another of the formats each
     * @throws SuiteItemsException if the file is invalid
     */
    public static ImgEditSuite read(Path file, Path sources, Path images) {
        SuiteFields all = SuiteFields.parse(file.toString(), SuiteFields.text(file));
        List<SuiteItem> items = new ArrayList<>();
        for (Map.Entry<String, JsonNode> entry : all.json().properties()) {
            SuiteFields item = new SuiteFields("%s: item \"%s\"".formatted(file, entry.getKey()), entry.getValue());
            String key = item.name("its key", entry.getKey());
            String type = item.text("edit_type");
            String group = OLDER_NAMES.getOrDefault(type, type);
            if (!TYPES.contains(group)) {
                throw item.wrong("has edit_type=%s; allowed are %s".formatted(type, String.join(", ", TYPES)));
            }
            try {
                items.add(new SuiteItem(
                        key,
                        group,
                        "",
                        false,
                        item.text("prompt"),
                        List.of(sources.resolve(item.text("id"))),
                        SuiteItem.pictures(images, key)));
            } catch (InvalidPathException e) {
                throw item.wrong("has an id that is not a path: " + e.getReason());
            }
        }
        if (items.isEmpty()) {
            throw all.wrong("has no items");
        }
        return new ImgEditSuite(items);
    }

    @Override
    public String name() {
        return "imgedit";
    }

    @Override
    public List<SuiteItem> items() {
        return items;
    }

    @Override
    public EditSuite limited(int count) {
        return new ImgEditSuite(items.subList(0, Math.min(count, items.size())));
    }

    @Override
    public List<JudgePrompt> prompts() {
        return TYPES.stream().map(type -> question(type).prompt()).toList();
    }

    @Override
    public List<SuiteQuestion> questions(SuiteItem item) {
        return List.of(question(item.group()));
    }

    private static SuiteQuestion question(String type) {
        return Optional.ofNullable(QUESTIONS.get(type)).orElseThrow();
    }

    @Override
    public List<String> figures() {
        return List.of("score");
    }

    @Override
    public List<Double> figures(List<List<Double>> answers) {
        return List.of(DecimalRounding.round(DecimalRounding.mean(answers.getFirst()), DECIMALS));
    }

    @Override
    public List<SuiteTable> tables(List<JudgedItem> judged) {
        return List.of(SuiteTable.of(
                "ImgEdit-Bench, Basic",
                this,
                DECIMALS,
                TYPES,
                mean -> DecimalRounding.round(mean, DECIMALS),
                judged,
                items));
    }

    @Override
    public Optional<String> remark(List<JudgedItem> judged) {
        long against = judged.stream()
                .map(JudgedItem::scores)
                .flatMap(Optional::stream)
                .map(List::getFirst)
                .filter(grades -> grades.get(1) > grades.get(0) || grades.get(2) > grades.get(0))
                .count();
        return against == 0
                ? Optional.empty()
                : Optional.of(
                        "%d items have a second or third grade above the first, against the rubric; as published, it is left so"
                                .formatted(against));
    }
}
