package darkroom.edittasks.datasets;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.config.PictureView;
import darkroom.edittasks.datasets.AnnotatedImage.Box;
import darkroom.edittasks.datasets.AnnotatedImage.Edit;
import darkroom.edittasks.datasets.AnnotatedImage.Lettered;
import darkroom.edittasks.datasets.AnnotatedImage.Thing;
import darkroom.edittasks.pictures.PictureConversion;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.edittasks.tasks.Combination;
import darkroom.edittasks.tasks.Draws;
import darkroom.edittasks.tasks.Split;
import darkroom.edittasks.tasks.TaskType;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Creates a dataset from annotated pictures by the rules of the paper's section 3.1. Rows come from three sources: the edits
 * of an annotation (an object without an edit is to be removed), its texts (one word with one or two characters altered), and
 * red boxes (a share of the adjust, remove and replace rows again, with a red rectangle round the object and the words "the
 * object in the red box" for its name). Anything that does not become a row is counted and recorded with its {@link
 * CurationRule}. The result is a function of annotations, pictures and settings.
 */
public final class Curation {
    /** File of annotated pictures. */
    public static final String ANNOTATIONS = "annotations.jsonl";

    /** File of everything that did not become a row. */
    public static final String REJECTED = "rejected.jsonl";

    /** Maximum number of annotated pictures. */
    public static final int IMAGES_MAX = 1_000_000;

    private static final int CHARACTERS_ALTERED_MAX = 2;
    private static final int ID_DIGITS = 16;
    private static final int KEY_RED_BOX = 1;
    private static final int KEY_CAP = 2;
    private static final int KEY_SPLIT = 3;
    private static final int KEY_TEXT = 4;
    private static final String IN_RED_BOX = "the object in the red box";
    private static final Pattern WORD = Pattern.compile("[A-Za-z0-9]{2,}");
    private static final Set<String> BOXED =
            Set.of(TaskType.ADJUST.label(), TaskType.REMOVE.label(), TaskType.REPLACE.label());
    private static final JsonMapper JSON = new JsonMapper();

    private final DatasetDirectory from;
    private final Path to;
    private final CurationSettings settings;
    private final List<Candidate> candidates = new ArrayList<>();
    private final Map<Long, Fate> fates = new LinkedHashMap<>();
    private final Map<CurationRule, Long> rejections = new EnumMap<>(CurationRule.class);
    private final Set<String> ids = new HashSet<>();
    private final Set<String> copied = new HashSet<>();
    private final BufferedWriter rejected;

    /**
     * Result of a curation.
     *
     * @param images annotations read
     * @param imagesKept pictures with at least one row
     * @param rejections everything that did not become a row: objects, texts, edits and whole pictures
     * @param imagesRejected pictures without a row, by the first rule that rejected them
     * @param rows rows written, by split and task type
     */
    public record Report(
            long images,
            long imagesKept,
            Map<CurationRule, Long> rejections,
            Map<CurationRule, Long> imagesRejected,
            Map<Split, Map<String, Long>> rows) {}

    /** A row before caps. */
    private record Candidate(
            long line,
            String id,
            String image,
            String taskType,
            String prompt,
            String requirement,
            @Nullable Box redBox,
            @Nullable String target,
            @Nullable String reference,
            Map<String, String> others) {}

    /** Result of a picture so far. */
    private static final class Fate {
        private final @Nullable String image;
        private @Nullable CurationRule firstRule;
        private String firstReason = "";
        private long rows;

        Fate(@Nullable String image) {
            this.image = image;
        }
    }

    private Curation(DatasetDirectory from, Path to, CurationSettings settings, BufferedWriter rejected) {
        this.from = from;
        this.to = to;
        this.settings = settings;
        this.rejected = rejected;
    }

    /**
     * Curates the pictures of {@code from/annotations.jsonl} into a dataset at {@code to}, with {@code rejected.jsonl} beside
     * its metadata files.
     *
     * @param replace whether existing metadata files may be replaced
     * @param each receives the number of every line after it is read
     * @throws FileAlreadyExistsException if a split exists and may not be replaced
     * @throws IllegalArgumentException if both directories are the same
     */
    public static Report run(Path from, Path to, CurationSettings settings, boolean replace, LongConsumer each)
            throws IOException {
        return run(from, PictureView.DISPLAYED, to, settings, replace, each);
    }

    /**
     * Curates with a given view of the pictures.
     *
     * @param view how pictures are read: boxes are in pixels of the result
     */
    public static Report run(
            Path from, PictureView view, Path to, CurationSettings settings, boolean replace, LongConsumer each)
            throws IOException {
        DatasetDirectory source = new DatasetDirectory(from, view);
        Files.createDirectories(to);
        if (Files.isSameFile(from, to)) {
            throw new IllegalArgumentException(to + " is where the annotations are; write into another directory");
        }
        for (Split split : List.of(Split.TRAIN, Split.VALIDATION, Split.HELD_OUT)) {
            Path file = to.resolve(split.metadataFile());
            if (!replace && Files.exists(file)) {
                throw new FileAlreadyExistsException(file.toString());
            }
        }
        try (BufferedWriter rejected = Files.newBufferedWriter(to.resolve(REJECTED))) {
            Curation curation = new Curation(source, to, settings, rejected);
            curation.read(each);
            Map<Split, Map<String, Long>> rows = curation.write();
            return curation.report(rows);
        }
    }

    private void read(LongConsumer each) throws IOException {
        try (BoundedLines lines = new BoundedLines(from.path().resolve(ANNOTATIONS), DatasetReader.LINE_BYTES_MAX)) {
            while (lines.advance()) {
                String text = "";
                AnnotatedImage annotated = null;
                try {
                    text = lines.text();
                    if (text.isBlank()) {
                        continue;
                    }
                    if (fates.size() == IMAGES_MAX) {
                        throw new DatasetFaultException(
                                DatasetFault.TOO_MANY_ROWS, "the file has more than " + IMAGES_MAX + " annotations");
                    }
                    annotated = AnnotatedImage.parse(text);
                } catch (DatasetFaultException e) {
                    reject(lines.line(), null, "line", CurationRule.MALFORMED_ANNOTATION, e.reason());
                    if (e.fault() == DatasetFault.TOO_MANY_ROWS) {
                        return;
                    }
                }
                if (annotated != null) {
                    fates.put(lines.line(), new Fate(annotated.image()));
                    curate(lines.line(), annotated);
                }
                each.accept(lines.line());
            }
        }
    }

    private void curate(long line, AnnotatedImage annotated) throws IOException {
        String image = annotated.image();
        RgbImage picture;
        boolean turned;
        try {
            DatasetFiles files = from.read(DatasetRow.of("-", image, ""));
            picture = files.images().source();
            turned = files.conversions().values().stream()
                    .anyMatch(conversions -> conversions.contains(PictureConversion.ORIENTATION));
        } catch (DatasetFaultException e) {
            reject(line, image, DatasetRow.IMAGE, CurationRule.UNUSABLE_IMAGE, e.reason());
            return;
        }
        if (annotated.objects().isEmpty()
                && annotated.texts().isEmpty()
                && annotated.edits().isEmpty()) {
            reject(line, image, DatasetRow.IMAGE, CurationRule.NOTHING_TO_EDIT, CurationRule.NOTHING_TO_EDIT.reason());
            return;
        }
        List<Boolean> usable = new ArrayList<>();
        for (int i = 0; i < annotated.objects().size(); i++) {
            usable.add(passes(line, annotated, i, picture, turned));
        }
        edits(line, annotated, picture, usable);
        texts(line, annotated);
    }

    /** Whether an object may be edited. */
    private boolean passes(long line, AnnotatedImage annotated, int number, RgbImage picture, boolean turned)
            throws IOException {
        Thing thing = annotated.objects().get(number);
        Box box = thing.box();
        int width = picture.width();
        int height = picture.height();
        double share = box.area() / ((double) width * height);
        double shareMin = thing.background() ? settings.backgroundMin() : settings.boxMin();
        double confidenceMin = thing.background() ? settings.backgroundConfidenceMin() : settings.confidenceMin();
        Double confidence = thing.confidence();
        CurationRule broken = null;
        String reason = "";
        if (!box.within(width, height)) {
            broken = CurationRule.BOX_OUTSIDE;
            reason = "box %s in a picture of %dx%d pixels%s"
                    .formatted(
                            box,
                            width,
                            height,
                            turned
                                    ? " after its EXIF orientation was applied; boxes are in pixels of the displayed"
                                            + " picture, or use --pictures as-stored"
                                    : "");
        } else if (share < shareMin) {
            broken = CurationRule.BOX_TOO_SMALL;
            reason = percent(share) + " of the picture < " + percent(shareMin);
        } else if (!thing.background() && share > settings.boxMax()) {
            broken = CurationRule.BOX_TOO_LARGE;
            reason = percent(share) + " of the picture > " + percent(settings.boxMax());
        } else if (confidence != null && confidence < confidenceMin) {
            broken = CurationRule.LOW_CONFIDENCE;
            reason = "score=" + confidence + " < " + confidenceMin;
        } else if (!thing.background() && box.cutOff(width, height) > settings.cutOffMax()) {
            broken = CurationRule.BOX_CUT_OFF;
            reason = percent(box.cutOff(width, height)) + " of the box outside the middle square > "
                    + percent(settings.cutOffMax());
        }
        if (broken != null) {
            reject(line, annotated.image(), "objects[" + number + "] " + thing.name(), broken, reason);
        }
        return broken == null;
    }

    private void edits(long line, AnnotatedImage annotated, RgbImage picture, List<Boolean> usable) throws IOException {
        Set<Integer> edited = new HashSet<>();
        for (int i = 0; i < annotated.edits().size(); i++) {
            Edit edit = annotated.edits().get(i);
            edited.add(edit.object());
            if (!edit.plausible()) {
                reject(
                        line,
                        annotated.image(),
                        "edits[" + i + "]",
                        CurationRule.IMPLAUSIBLE,
                        "plausible=false: " + DatasetRow.shown(edit.prompt()));
            } else if (edit.object() < 0 || usable.get(edit.object())) {
                propose(line, annotated, picture, edit, "edits[" + i + "]");
            }
        }
        for (int i = 0; i < annotated.objects().size(); i++) {
            Thing thing = annotated.objects().get(i);
            if (edited.contains(i) || !usable.get(i) || thing.background()) {
                continue;
            }
            long namesakes = annotated.objects().stream()
                    .filter(other -> other.name().equalsIgnoreCase(thing.name()))
                    .count();
            if (namesakes > 1) {
                reject(
                        line,
                        annotated.image(),
                        "objects[" + i + "] " + thing.name(),
                        CurationRule.AMBIGUOUS_NAME,
                        namesakes + " objects are called " + thing.name());
                continue;
            }
            Edit removal = new Edit(
                    TaskType.REMOVE.label(),
                    "remove the " + thing.name(),
                    "The " + thing.name() + " must be gone and the background behind it filled in. Everything else"
                            + " must stay as it was.",
                    i,
                    null,
                    null,
                    true);
            propose(line, annotated, picture, removal, "objects[" + i + "] " + thing.name());
        }
    }

    /** Adds an edit as a row, and perhaps again with a red box. */
    private void propose(long line, AnnotatedImage annotated, RgbImage picture, Edit edit, String what)
            throws IOException {
        for (String path : java.util.Arrays.asList(edit.target(), edit.reference())) {
            if (path != null) {
                try {
                    RgbImage other = from.image(what, path);
                    if (path.equals(edit.target())
                            && (other.width() != picture.width() || other.height() != picture.height())) {
                        throw new DatasetFaultException(
                                DatasetFault.TARGET_SIZE,
                                what + ": target=" + path + " is not as large as the picture");
                    }
                } catch (DatasetFaultException e) {
                    reject(line, annotated.image(), what, CurationRule.UNUSABLE_IMAGE, e.reason());
                    return;
                }
            }
        }
        boolean first = propose(line, annotated, what, edit.taskType(), edit.prompt(), edit.requirement(), null, edit);
        if (!first || edit.object() < 0 || !BOXED.contains(edit.taskType())) {
            return;
        }
        Candidate plain = candidates.getLast();
        if (draws(KEY_RED_BOX, plain.id()).unit() >= settings.redBoxShare()) {
            return;
        }
        Thing thing = annotated.objects().get(edit.object());
        Pattern name = Pattern.compile(
                "(?<![\\p{L}\\p{N}])(?:(?:the|a|an)\\s+)?" + Pattern.quote(thing.name()) + "(?![\\p{L}\\p{N}])",
                Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE);
        Matcher named = name.matcher(edit.prompt());
        if (!named.find()) {
            reject(
                    line,
                    annotated.image(),
                    what,
                    CurationRule.NO_RED_BOX_WORDING,
                    "'" + thing.name() + "' is not in: " + DatasetRow.shown(edit.prompt()));
            return;
        }
        propose(
                line,
                annotated,
                what + " with a red box",
                TaskType.RED_BOX.label(),
                edit.prompt().substring(0, named.start())
                        + IN_RED_BOX
                        + edit.prompt().substring(named.end()),
                (edit.requirement() + " Only what was in the red box may change, and the red box must be gone.")
                        .strip(),
                thing.box(),
                edit);
    }

    private void texts(long line, AnnotatedImage annotated) throws IOException {
        List<String> words = new ArrayList<>();
        for (Lettered text : annotated.texts()) {
            WORD.matcher(text.text()).results().forEach(match -> words.add(match.group()));
        }
        Map<String, Long> times =
                words.stream().collect(Collectors.groupingBy(word -> word, HashMap::new, Collectors.counting()));
        for (int i = 0; i < annotated.texts().size(); i++) {
            String text = annotated.texts().get(i).text();
            List<String> alterable = WORD.matcher(text)
                    .results()
                    .map(match -> match.group())
                    .filter(word -> times.getOrDefault(word, 0L) == 1)
                    .toList();
            String what = "texts[" + i + "]";
            if (alterable.isEmpty()) {
                reject(
                        line,
                        annotated.image(),
                        what,
                        CurationRule.TEXT_UNALTERABLE,
                        CurationRule.TEXT_UNALTERABLE.reason() + ": " + DatasetRow.shown(text));
                continue;
            }
            Draws draws = draws(KEY_TEXT, annotated.image() + "\n" + i + "\n" + text);
            String word = draws.one(alterable);
            String altered = altered(word, draws);
            propose(
                    line,
                    annotated,
                    what,
                    TaskType.TEXT.label(),
                    "change the word \"" + word + "\" to \"" + altered + "\"",
                    "The word \"" + word + "\" must read \"" + altered
                            + "\" in the same lettering, colour and place. Everything else must stay as it was.",
                    null,
                    null);
        }
    }

    /** Replaces one or two characters of the word by others of their kind. */
    static String altered(String word, Draws draws) {
        StringBuilder altered = new StringBuilder(word);
        int count = draws.between(1, Math.min(CHARACTERS_ALTERED_MAX, word.length()));
        Set<Integer> places = new HashSet<>();
        while (places.size() < count) {
            int place = draws.below(word.length());
            if (places.add(place)) {
                char old = word.charAt(place);
                int first = old <= '9' ? '0' : old <= 'Z' ? 'A' : 'a';
                int kinds = old <= '9' ? 10 : 26;
                altered.setCharAt(place, (char) (first + (old - first + draws.between(1, kinds - 1)) % kinds));
            }
        }
        return altered.toString();
    }

    /** Adds a candidate unless it exists already; returns whether it was added. */
    private boolean propose(
            long line,
            AnnotatedImage annotated,
            String what,
            String taskType,
            String prompt,
            String requirement,
            @Nullable Box redBox,
            @Nullable Edit edit)
            throws IOException {
        String id = id(annotated.image(), taskType, prompt, redBox);
        if (!ids.add(id)) {
            reject(
                    line,
                    annotated.image(),
                    what,
                    CurationRule.DUPLICATE,
                    CurationRule.DUPLICATE.reason() + ": " + DatasetRow.shown(prompt));
            return false;
        }
        candidates.add(new Candidate(
                line,
                id,
                annotated.image(),
                taskType,
                prompt,
                requirement,
                redBox,
                edit == null ? null : edit.target(),
                edit == null ? null : edit.reference(),
                annotated.others()));
        return true;
    }

    private Map<Split, Map<String, Long>> write() throws IOException {
        Map<Split, Map<String, Long>> rows = new EnumMap<>(Split.class);
        Map<Split, DatasetWriter> writers = new EnumMap<>(Split.class);
        try {
            for (Candidate candidate : capped()) {
                Split split = split(candidate.image());
                DatasetWriter writer = writers.get(split);
                if (writer == null) {
                    writer = new DatasetWriter(to, split, true);
                    writers.put(split, writer);
                }
                writer.row(row(candidate, writer));
                rows.computeIfAbsent(split, _ -> new TreeMap<>()).merge(candidate.taskType(), 1L, Long::sum);
                fates.computeIfAbsent(candidate.line(), _ -> new Fate(candidate.image())).rows++;
            }
            for (Split split : List.of(Split.TRAIN, Split.VALIDATION, Split.HELD_OUT)) {
                DatasetWriter writer = writers.get(split);
                if (writer == null) {
                    Files.deleteIfExists(to.resolve(split.metadataFile()));
                } else {
                    writer.finish();
                }
            }
        } finally {
            for (DatasetWriter writer : writers.values()) {
                writer.close();
            }
        }
        return rows;
    }

    /** Returns the candidates within the caps, in their order. */
    private List<Candidate> capped() throws IOException {
        Map<String, List<Candidate>> byType = new TreeMap<>();
        candidates.forEach(candidate -> byType.computeIfAbsent(candidate.taskType(), _ -> new ArrayList<>())
                .add(candidate));
        Set<String> kept = new HashSet<>();
        byType.forEach((type, all) -> all.stream()
                .sorted(Comparator.comparingDouble((Candidate candidate) ->
                                draws(KEY_CAP, candidate.id()).unit())
                        .thenComparing(Candidate::id))
                .limit(settings.caps().getOrDefault(type, Integer.MAX_VALUE))
                .forEach(candidate -> kept.add(candidate.id())));
        List<Candidate> chosen = new ArrayList<>();
        for (Candidate candidate : candidates) {
            if (kept.contains(candidate.id())) {
                chosen.add(candidate);
            } else {
                reject(
                        candidate.line(),
                        candidate.image(),
                        candidate.taskType() + ": " + DatasetRow.shown(candidate.prompt()),
                        CurationRule.TASK_CAP,
                        "more than " + settings.caps().get(candidate.taskType()) + " rows of " + candidate.taskType());
            }
        }
        return chosen;
    }

    /** Returns the split of a picture: all its rows are in one split. */
    private Split split(String image) {
        double at = draws(KEY_SPLIT, image).unit();
        if (at < settings.testShare()) {
            return Split.HELD_OUT;
        }
        return at < settings.testShare() + settings.validationShare() ? Split.VALIDATION : Split.TRAIN;
    }

    private DatasetRow row(Candidate candidate, DatasetWriter writer) throws IOException {
        Box box = candidate.redBox();
        String image = box == null
                ? copied(candidate.image(), writer)
                : writer.image("red-box-" + candidate.id(), boxed(candidate.image(), box));
        DatasetRow row = DatasetRow.of(candidate.prompt(), image, candidate.requirement())
                .with(DatasetRow.ID, candidate.id())
                .with(DatasetRow.TASK_TYPE, candidate.taskType());
        if (candidate.target() != null) {
            row = row.with(DatasetRow.TARGET, copied(candidate.target(), writer));
        }
        if (candidate.reference() != null) {
            row = row.with(DatasetRow.REFERENCE, copied(candidate.reference(), writer));
        }
        for (Map.Entry<String, String> other : candidate.others().entrySet()) {
            if (!DatasetRow.OWN.contains(other.getKey())) {
                row = row.withJson(other.getKey(), other.getValue());
            }
        }
        return row;
    }

    private String copied(String relative, DatasetWriter writer) throws IOException {
        try {
            String place = Path.of(relative).normalize().toString();
            if (copied.add(place)) {
                writer.copy(from.locate(relative, relative), place);
            }
            return place;
        } catch (DatasetFaultException e) {
            throw new IOException(relative + " was there a moment ago: " + e.reason(), e);
        }
    }

    private RgbImage boxed(String image, Box box) throws IOException {
        try {
            return boxed(from.image(DatasetRow.IMAGE, image), box);
        } catch (DatasetFaultException e) {
            throw new IOException(image + " was intact a moment ago: " + e.reason(), e);
        }
    }

    /**
     * Returns a picture with a red rectangle round a box: lines of one pixel for every 128 of the shorter side, at least one,
     * outside the box as far as the picture extends.
     */
    static RgbImage boxed(RgbImage picture, Box box) {
        int width = picture.width();
        int height = picture.height();
        int line = Math.max(1, Math.round(Math.min(width, height) / 128f));
        int left = Math.max(0, (int) Math.floor(box.left()) - line);
        int top = Math.max(0, (int) Math.floor(box.top()) - line);
        int right = Math.min(width, (int) Math.ceil(box.right()) + line);
        int bottom = Math.min(height, (int) Math.ceil(box.bottom()) + line);
        byte[] rgb = picture.rgb();
        for (int y = top; y < bottom; y++) {
            for (int x = left; x < right; x++) {
                if (x < left + line || x >= right - line || y < top + line || y >= bottom - line) {
                    int p = 3 * (y * width + x);
                    rgb[p] = (byte) 255;
                    rgb[p + 1] = 0;
                    rgb[p + 2] = 0;
                }
            }
        }
        return RgbImage.owning(width, height, rgb);
    }

    private void reject(long line, @Nullable String image, String what, CurationRule rule, String reason)
            throws IOException {
        Fate fate = fates.computeIfAbsent(line, _ -> new Fate(image));
        if (fate.firstRule == null) {
            fate.firstRule = rule;
            fate.firstReason = reason;
        }
        rejections.merge(rule, 1L, Long::sum);
        note(line, image, what, rule, reason);
    }

    private void note(long line, @Nullable String image, String what, CurationRule rule, String reason)
            throws IOException {
        ObjectNode json = JSON.createObjectNode();
        json.put("line", line);
        json.put("image", image);
        json.put("what", what);
        json.put("rule", rule.label());
        json.put("reason", reason);
        rejected.write(json.toString());
        rejected.write('\n');
    }

    private Report report(Map<Split, Map<String, Long>> rows) throws IOException {
        long kept = 0;
        Map<CurationRule, Long> imagesRejected = new EnumMap<>(CurationRule.class);
        for (Map.Entry<Long, Fate> entry : fates.entrySet()) {
            Fate fate = entry.getValue();
            if (fate.rows > 0) {
                kept++;
            } else {
                CurationRule rule = fate.firstRule == null ? CurationRule.NOTHING_TO_EDIT : fate.firstRule;
                imagesRejected.merge(rule, 1L, Long::sum);
                note(entry.getKey(), fate.image, "whole picture", rule, fate.firstReason);
            }
        }
        return new Report(fates.size(), kept, rejections, imagesRejected, rows);
    }

    private Draws draws(int purpose, String about) {
        return new Draws(settings.seed(), purpose, Combination.stableHash(about));
    }

    private static String id(String image, String taskType, String prompt, @Nullable Box box) {
        try {
            String text = image + "\n" + taskType + "\n" + prompt + "\n" + (box == null ? "" : box);
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest).substring(0, ID_DIGITS);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f %%", 100 * share);
    }
}
