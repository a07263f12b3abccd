package darkroom.rewardactors.suites;

import com.fasterxml.jackson.databind.JsonNode;
import darkroom.rewardactors.judge.JudgePrompt;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Predicate;

/**
 * GEdit-Bench (arXiv 2504.17761; stepfun-ai/GEdit-Bench) with VIEScore's two questions, each with two scores from 0 to 10:
 * SC, of the instruction, with both pictures; PQ, of quality, with the edit alone. An edit's SC and PQ are the smaller of
 * their two scores, and O = sqrt(SC PQ). A group's are the means of its edits; the overall ones are the means of the eleven
 * groups, each counting once, separately for SC, PQ and O. One table per language, and per subset of items that all published
 * models could do.
 *
 * <p>The edit is resized to its original as the public script does it.
 */
public final class GEditSuite implements EditSuite {
    private static final int DECIMALS = 3;
    private static final List<String> GROUPS = List.of(
            "background_change",
            "color_alter",
            "material_alter",
            "motion_change",
            "ps_human",
            "style_change",
            "subject-add",
            "subject-remove",
            "subject-replace",
            "text_change",
            "tone_transfer");
    private static final List<SuiteQuestion> QUESTIONS = List.of(
            new SuiteQuestion("SC", JudgePrompt.resource("gedit/semantics.txt"), true, true, ScoreObject::read),
            new SuiteQuestion("PQ", JudgePrompt.resource("gedit/quality.txt"), false, true, ScoreObject::read));

    /** Fields that may contain the place of the original. */
    private static final List<String> SOURCE_FIELDS = List.of("source", "input_image", "input_image_raw");

    private final List<SuiteItem> items;

    private GEditSuite(List<SuiteItem> items) {
        this.items = List.copyOf(items);
    }

    /**
     * Reads items, one JSON object per line, with the names of the published data set: {@code key}, {@code task_type},
     * {@code instruction}, {@code instruction_language}, {@code Intersection_exist}; and, where the original is, "source" (or
     * {@code input_image} or {@code input_image_raw}): a path, or an object with a {@code path}. Without one it is {@code
     * <key>_SRCIMG.png} in {@code sources} or beside the edit.
     *
     * @param file of items
     * @param sources directory that the paths are relative to
     * @param images directory of edits: {@code fullset/<group>/<language>/<key>.png}, {@code <group>/<language>/<key>.png},
     *     or {@code <group>/<key>.png} for a key of only one language; or another of the formats
     * @param languages languages to judge; empty for all
     * @throws SuiteItemsException if the file is invalid
     */
    public static GEditSuite read(Path file, Path sources, Path images, Set<String> languages) {
        List<Line> lines = new ArrayList<>();
        Set<String> known = new TreeSet<>();
        int number = 0;
        for (String text : SuiteFields.text(file).lines().toList()) {
            number++;
            if (!text.isBlank()) {
                Line line = line(SuiteFields.parse("%s line %d".formatted(file, number), text));
                known.add(line.language());
                if (languages.isEmpty() || languages.contains(line.language())) {
                    lines.add(line);
                }
            }
        }
        Set<String> unknown = new TreeSet<>(languages);
        unknown.removeAll(known);
        if (!unknown.isEmpty() || lines.isEmpty()) {
            throw new SuiteItemsException("%s has no items%s; its languages are %s"
                    .formatted(file, unknown.isEmpty() ? "" : " in language " + unknown, known));
        }
        Map<String, Integer> languagesOfKey = new HashMap<>();
        Set<String> ids = new HashSet<>();
        for (Line line : lines) {
            languagesOfKey.merge(line.group() + "/" + line.key(), 1, Integer::sum);
            if (!ids.add(line.id())) {
                throw line.fields().wrong("is " + line.id() + " for the second time");
            }
        }
        List<SuiteItem> items = new ArrayList<>();
        for (Line line : lines) {
            boolean alone = languagesOfKey.getOrDefault(line.group() + "/" + line.key(), 0) == 1;
            items.add(item(line, sources, images, alone));
        }
        return new GEditSuite(items);
    }

    private record Line(SuiteFields fields, String key, String group, String language) {
        String id() {
            return group + "/" + language + "/" + key;
        }
    }

    private static Line line(SuiteFields fields) {
        String group = fields.text("task_type");
        if (!GROUPS.contains(group)) {
            throw fields.wrong("has task_type=%s; allowed are %s".formatted(group, String.join(", ", GROUPS)));
        }
        return new Line(fields, fields.name("key"), group, fields.name("instruction_language"));
    }

    private static SuiteItem item(Line line, Path sources, Path images, boolean alone) {
        SuiteFields fields = line.fields();
        Path group = images.resolve(line.group());
        List<Path> folders = new ArrayList<>();
        Collections.addAll(
                folders,
                images.resolve("fullset").resolve(line.group()).resolve(line.language()),
                group.resolve(line.language()));
        if (alone) {
            folders.add(group);
        }
        List<Path> edited = folders.stream()
                .flatMap(folder -> SuiteItem.pictures(folder, line.key()).stream())
                .toList();
        List<Path> originals = new ArrayList<>();
        Optional<String> said = source(fields);
        try {
            said.ifPresent(path -> originals.add(sources.resolve(path)));
        } catch (InvalidPathException e) {
            throw fields.wrong("has a source that is not a path: " + e.getReason());
        }
        if (said.isEmpty()) {
            String name = line.key() + "_SRCIMG.png";
            originals.add(sources.resolve(name));
            folders.forEach(folder -> originals.add(folder.resolve(name)));
        }
        return new SuiteItem(
                line.id(),
                line.group(),
                line.language(),
                fields.flag("Intersection_exist", "intersection_exist"),
                fields.text("instruction"),
                originals,
                edited);
    }

    private static Optional<String> source(SuiteFields fields) {
        for (String field : SOURCE_FIELDS) {
            JsonNode value = fields.json().path(field);
            JsonNode path = value.isObject() ? value.path("path") : value;
            if (path.isTextual() && !path.textValue().isBlank()) {
                return Optional.of(path.textValue());
            }
            if (!value.isMissingNode() && !value.isNull() && !value.isObject()) {
                throw fields.wrong("has a " + field + " that is not a path");
            }
        }
        return Optional.empty();
    }

    @Override
    public String name() {
        return "gedit";
    }

    @Override
    public List<SuiteItem> items() {
        return items;
    }

    @Override
    public EditSuite limited(int count) {
        return new GEditSuite(items.subList(0, Math.min(count, items.size())));
    }

    @Override
    public List<JudgePrompt> prompts() {
        return QUESTIONS.stream().map(SuiteQuestion::prompt).toList();
    }

    @Override
    public List<SuiteQuestion> questions(SuiteItem item) {
        return QUESTIONS;
    }

    @Override
    public List<String> figures() {
        return List.of("SC", "PQ", "O");
    }

    @Override
    public List<Double> figures(List<List<Double>> answers) {
        double semantics = Collections.min(answers.get(0));
        double quality = Collections.min(answers.get(1));
        return List.of(semantics, quality, Math.sqrt(semantics * quality));
    }

    @Override
    public List<SuiteTable> tables(List<JudgedItem> judged) {
        List<SuiteTable> tables = new ArrayList<>();
        for (String language :
                items.stream().map(SuiteItem::language).distinct().toList()) {
            String title = "GEdit-Bench-" + language.toUpperCase(Locale.ROOT);
            tables.add(
                    table(title + ", full set", judged, item -> item.language().equals(language)));
            Predicate<SuiteItem> both = item -> item.language().equals(language) && item.intersection();
            if (items.stream().anyMatch(both)) {
                tables.add(table(title + ", intersection", judged, both));
            }
        }
        return tables;
    }

    private SuiteTable table(String title, List<JudgedItem> judged, Predicate<SuiteItem> which) {
        return SuiteTable.of(
                title,
                this,
                DECIMALS,
                GROUPS,
                DoubleUnaryOperator.identity(),
                judged.stream().filter(each -> which.test(each.item())).toList(),
                items.stream().filter(which).toList());
    }

    @Override
    public Optional<String> remark(List<JudgedItem> judged) {
        return Optional.empty();
    }
}
