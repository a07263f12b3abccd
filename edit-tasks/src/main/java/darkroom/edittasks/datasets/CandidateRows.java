package darkroom.edittasks.datasets;

import darkroom.edittasks.datasets.AnnotatedImage.Box;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.edittasks.tasks.Split;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Writes candidates as the rows of a dataset: within the caps, each picture in one split. */
final class CandidateRows {
    /** The splits that curation writes. */
    static final List<Split> SPLITS = List.of(Split.TRAIN, Split.VALIDATION, Split.HELD_OUT);

    private final DatasetDirectory from;
    private final Path to;
    private final CurationSettings settings;
    private final CurationLog log;
    private final Set<String> copied = new HashSet<>();

    CandidateRows(DatasetDirectory from, Path to, CurationSettings settings, CurationLog log) {
        this.from = from;
        this.to = to;
        this.settings = settings;
        this.log = log;
    }

    /** Writes the rows and returns their numbers, by split and task type. */
    Map<Split, Map<String, Long>> write(List<Candidate> candidates) throws IOException {
        Map<Split, Map<String, Long>> rows = new EnumMap<>(Split.class);
        Map<Split, DatasetWriter> writers = new EnumMap<>(Split.class);
        try {
            for (Candidate candidate : capped(candidates)) {
                Split split = split(candidate.image());
                DatasetWriter writer = writers.get(split);
                if (writer == null) {
                    writer = new DatasetWriter(to, split, true);
                    writers.put(split, writer);
                }
                writer.row(row(candidate, writer));
                rows.computeIfAbsent(split, _ -> new TreeMap<>())
                        .merge(candidate.proposal().taskType(), 1L, Long::sum);
                log.written(candidate);
            }
            for (Split split : SPLITS) {
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
    private List<Candidate> capped(List<Candidate> candidates) throws IOException {
        Map<String, List<Candidate>> byType = new TreeMap<>();
        candidates.forEach(
                candidate -> byType.computeIfAbsent(candidate.proposal().taskType(), _ -> new ArrayList<>())
                        .add(candidate));
        Set<String> kept = new HashSet<>();
        byType.forEach((type, all) -> all.stream()
                .sorted(Comparator.comparingDouble((Candidate candidate) ->
                                CurationDraw.CAP.about(candidate.id(), settings).unit())
                        .thenComparing(Candidate::id))
                .limit(settings.caps().getOrDefault(type, Integer.MAX_VALUE))
                .forEach(candidate -> kept.add(candidate.id())));
        List<Candidate> chosen = new ArrayList<>();
        for (Candidate candidate : candidates) {
            String type = candidate.proposal().taskType();
            if (kept.contains(candidate.id())) {
                chosen.add(candidate);
            } else {
                log.reject(
                        new CurationLog.Subject(
                                candidate.line(),
                                candidate.image(),
                                type + ": "
                                        + DatasetRow.shown(candidate.proposal().prompt())),
                        CurationRule.TASK_CAP,
                        "more than " + settings.caps().get(type) + " rows of " + type);
            }
        }
        return chosen;
    }

    /** Returns the split of a picture: all its rows are in one split. */
    private Split split(String image) {
        double at = CurationDraw.SPLIT.about(image, settings).unit();
        if (at < settings.testShare()) {
            return Split.HELD_OUT;
        }
        return at < settings.testShare() + settings.validationShare() ? Split.VALIDATION : Split.TRAIN;
    }

    private DatasetRow row(Candidate candidate, DatasetWriter writer) throws IOException {
        Candidate.Proposal proposal = candidate.proposal();
        Box box = proposal.redBox();
        String image = box == null
                ? copied(candidate.image(), writer)
                : writer.image("red-box-" + candidate.id(), boxed(candidate.image(), box));
        DatasetRow row = DatasetRow.of(proposal.prompt(), image, proposal.requirement())
                .with(DatasetRow.ID, candidate.id())
                .with(DatasetRow.TASK_TYPE, proposal.taskType());
        if (proposal.target() != null) {
            row = row.with(DatasetRow.TARGET, copied(proposal.target(), writer));
        }
        if (proposal.reference() != null) {
            row = row.with(DatasetRow.REFERENCE, copied(proposal.reference(), writer));
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
            return RedBox.around(from.image(DatasetRow.IMAGE, image), box);
        } catch (DatasetFaultException e) {
            throw new IOException(image + " was intact a moment ago: " + e.reason(), e);
        }
    }
}
