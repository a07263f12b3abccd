package darkroom.edittasks.datasets;

import darkroom.edittasks.datasets.AnnotatedImage.Edit;
import darkroom.edittasks.datasets.AnnotatedImage.Lettered;
import darkroom.edittasks.datasets.AnnotatedImage.Thing;
import darkroom.edittasks.datasets.Candidate.Proposal;
import darkroom.edittasks.datasets.CurationLog.Subject;
import darkroom.edittasks.datasets.ObjectRules.Broken;
import darkroom.edittasks.pictures.PictureConversion;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.edittasks.tasks.Draws;
import darkroom.edittasks.tasks.TaskType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Proposes rows for annotated pictures, one after another. Writes nothing but what it rejects, to the log. */
final class RowProposals {
    /** Maximum number of characters of a word that an edit alters. */
    private static final int CHARACTERS_ALTERED_MAX = 2;

    /** Maximum number of draws of a character that is not altered yet. */
    private static final int CHARACTER_DRAWS_MAX = 10_000;

    private static final String IN_RED_BOX = "the object in the red box";
    private static final Pattern WORD = Pattern.compile("[A-Za-z0-9]{2,}");
    private static final Set<String> BOXED =
            Set.of(TaskType.ADJUST.label(), TaskType.REMOVE.label(), TaskType.REPLACE.label());

    private final DatasetDirectory from;
    private final CurationSettings settings;
    private final CurationLog log;
    private final List<Candidate> candidates = new ArrayList<>();
    private final Set<String> ids = new HashSet<>();

    /** An annotation and its line. */
    private record Annotation(long line, AnnotatedImage image) {
        Subject part(String what) {
            return new Subject(line, image.image(), what);
        }
    }

    RowProposals(DatasetDirectory from, CurationSettings settings, CurationLog log) {
        this.from = from;
        this.settings = settings;
        this.log = log;
    }

    /** Returns all proposals, in the order of their annotations. */
    List<Candidate> candidates() {
        return List.copyOf(candidates);
    }

    /** Proposes the rows of an annotation; what makes no row is rejected with its rule. */
    void propose(long line, AnnotatedImage image) throws IOException {
        Annotation annotation = new Annotation(line, image);
        RgbImage picture;
        boolean turned;
        try {
            DatasetFiles files = from.read(DatasetRow.of("-", image.image(), ""));
            picture = files.images().source();
            turned = files.conversions().values().stream()
                    .anyMatch(conversions -> conversions.contains(PictureConversion.ORIENTATION));
        } catch (DatasetFaultException e) {
            log.reject(annotation.part(DatasetRow.IMAGE), CurationRule.UNUSABLE_IMAGE, e.reason());
            return;
        }
        if (image.objects().isEmpty()
                && image.texts().isEmpty()
                && image.edits().isEmpty()) {
            log.reject(
                    annotation.part(DatasetRow.IMAGE),
                    CurationRule.NOTHING_TO_EDIT,
                    CurationRule.NOTHING_TO_EDIT.reason());
            return;
        }
        Set<Integer> usable = usable(annotation, new ObjectRules(settings, picture, turned));
        edits(annotation, picture, usable);
        removals(annotation, picture, usable);
        texts(annotation);
    }

    /** Returns the numbers of the objects that may be edited. */
    private Set<Integer> usable(Annotation annotation, ObjectRules rules) throws IOException {
        List<Thing> objects = annotation.image().objects();
        Set<Integer> usable = new HashSet<>();
        for (int i = 0; i < objects.size(); i++) {
            Optional<Broken> broken = rules.brokenBy(objects.get(i));
            if (broken.isPresent()) {
                log.reject(
                        annotation.part(named(i, objects.get(i))),
                        broken.get().rule(),
                        broken.get().reason());
            } else {
                usable.add(i);
            }
        }
        return usable;
    }

    private static String named(int number, Thing thing) {
        return "objects[" + number + "] " + thing.name();
    }

    private void edits(Annotation annotation, RgbImage picture, Set<Integer> usable) throws IOException {
        List<Edit> edits = annotation.image().edits();
        for (int i = 0; i < edits.size(); i++) {
            Edit edit = edits.get(i);
            Subject part = annotation.part("edits[" + i + "]");
            if (!edit.plausible()) {
                log.reject(part, CurationRule.IMPLAUSIBLE, "plausible=false: " + DatasetRow.shown(edit.prompt()));
            } else if (edit.object() < 0 || usable.contains(edit.object())) {
                edit(annotation, picture, edit, part);
            }
        }
    }

    /** Proposes the removal of each object that no edit is about. */
    private void removals(Annotation annotation, RgbImage picture, Set<Integer> usable) throws IOException {
        List<Thing> objects = annotation.image().objects();
        Set<Integer> edited =
                annotation.image().edits().stream().map(Edit::object).collect(Collectors.toSet());
        for (int i = 0; i < objects.size(); i++) {
            Thing thing = objects.get(i);
            if (edited.contains(i) || !usable.contains(i) || thing.background()) {
                continue;
            }
            Subject part = annotation.part(named(i, thing));
            long namesakes = objects.stream()
                    .filter(other -> other.name().equalsIgnoreCase(thing.name()))
                    .count();
            if (namesakes > 1) {
                log.reject(part, CurationRule.AMBIGUOUS_NAME, namesakes + " objects are called " + thing.name());
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
            edit(annotation, picture, removal, part);
        }
    }

    /** Proposes an edit as a row, and perhaps again with a red box. */
    private void edit(Annotation annotation, RgbImage picture, Edit edit, Subject part) throws IOException {
        try {
            checkPictures(edit, picture, part.what());
        } catch (DatasetFaultException e) {
            log.reject(part, CurationRule.UNUSABLE_IMAGE, e.reason());
            return;
        }
        Optional<Candidate> plain = add(annotation, part, Proposal.of(edit));
        if (plain.isPresent()
                && edit.object() >= 0
                && BOXED.contains(edit.taskType())
                && CurationDraw.RED_BOX.about(plain.get().id(), settings).unit() < settings.redBoxShare()) {
            redBox(annotation, edit, part);
        }
    }

    private void checkPictures(Edit edit, RgbImage picture, String what) throws IOException, DatasetFaultException {
        for (String path : Arrays.asList(edit.target(), edit.reference())) {
            if (path == null) {
                continue;
            }
            RgbImage other = from.image(what, path);
            if (path.equals(edit.target())
                    && (other.width() != picture.width() || other.height() != picture.height())) {
                throw new DatasetFaultException(
                        DatasetFault.TARGET_SIZE, what + ": target=" + path + " is not as large as the picture");
            }
        }
    }

    /** Proposes an edit with a red box for the name of its object. */
    private void redBox(Annotation annotation, Edit edit, Subject part) throws IOException {
        Thing thing = annotation.image().objects().get(edit.object());
        Pattern name = Pattern.compile(
                "(?<![\\p{L}\\p{N}])(?:(?:the|a|an)\\s+)?" + Pattern.quote(thing.name()) + "(?![\\p{L}\\p{N}])",
                Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE);
        Matcher named = name.matcher(edit.prompt());
        if (!named.find()) {
            log.reject(
                    part,
                    CurationRule.NO_RED_BOX_WORDING,
                    "'" + thing.name() + "' is not in: " + DatasetRow.shown(edit.prompt()));
            return;
        }
        String prompt = edit.prompt().substring(0, named.start())
                + IN_RED_BOX
                + edit.prompt().substring(named.end());
        String requirement = (edit.requirement()
                        + " Only what was in the red box may change, and the red box must be gone.")
                .strip();
        add(
                annotation,
                annotation.part(part.what() + " with a red box"),
                new Proposal(
                        TaskType.RED_BOX.label(), prompt, requirement, thing.box(), edit.target(), edit.reference()));
    }

    private void texts(Annotation annotation) throws IOException {
        List<Lettered> texts = annotation.image().texts();
        Map<String, Long> times = texts.stream()
                .flatMap(text -> words(text.text()).stream())
                .collect(Collectors.groupingBy(word -> word, HashMap::new, Collectors.counting()));
        for (int i = 0; i < texts.size(); i++) {
            String text = texts.get(i).text();
            Subject part = annotation.part("texts[" + i + "]");
            List<String> alterable = words(text).stream()
                    .filter(word -> times.getOrDefault(word, 0L) == 1)
                    .toList();
            if (alterable.isEmpty()) {
                log.reject(
                        part,
                        CurationRule.TEXT_UNALTERABLE,
                        CurationRule.TEXT_UNALTERABLE.reason() + ": " + DatasetRow.shown(text));
                continue;
            }
            Draws draws = CurationDraw.TEXT.about(annotation.image().image() + "\n" + i + "\n" + text, settings);
            String word = draws.one(alterable);
            String altered = altered(word, draws);
            add(
                    annotation,
                    part,
                    Proposal.of(
                            TaskType.TEXT.label(),
                            "change the word \"" + word + "\" to \"" + altered + "\"",
                            "The word \"" + word + "\" must read \"" + altered
                                    + "\" in the same lettering, colour and place. Everything else must stay as it"
                                    + " was."));
        }
    }

    private static List<String> words(String text) {
        return WORD.matcher(text).results().map(match -> match.group()).toList();
    }

    /**
     * Replaces one or two characters of the word by others of their kind.
     *
     * @throws IllegalStateException if {@link #CHARACTER_DRAWS_MAX} draws do not find them
     */
    static String altered(String word, Draws draws) {
        StringBuilder altered = new StringBuilder(word);
        int count = draws.between(1, Math.min(CHARACTERS_ALTERED_MAX, word.length()));
        Set<Integer> places = new HashSet<>();
        for (int drawn = 0; drawn < CHARACTER_DRAWS_MAX; drawn++) {
            int place = draws.below(word.length());
            if (places.add(place)) {
                char old = word.charAt(place);
                int first = old <= '9' ? '0' : old <= 'Z' ? 'A' : 'a';
                int kinds = old <= '9' ? 10 : 26;
                altered.setCharAt(place, (char) (first + (old - first + draws.between(1, kinds - 1)) % kinds));
            }
            if (places.size() == count) {
                return altered.toString();
            }
        }
        throw new IllegalStateException(
                "%d draws gave %d of %d characters of '%s'".formatted(CHARACTER_DRAWS_MAX, places.size(), count, word));
    }

    /** Adds a candidate; empty if it exists already. */
    private Optional<Candidate> add(Annotation annotation, Subject part, Proposal proposal) throws IOException {
        Candidate candidate = Candidate.of(annotation.line(), annotation.image(), proposal);
        if (!ids.add(candidate.id())) {
            log.reject(
                    part,
                    CurationRule.DUPLICATE,
                    CurationRule.DUPLICATE.reason() + ": " + DatasetRow.shown(proposal.prompt()));
            return Optional.empty();
        }
        candidates.add(candidate);
        return Optional.of(candidate);
    }
}
