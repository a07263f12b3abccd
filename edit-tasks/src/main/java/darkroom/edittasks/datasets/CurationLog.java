package darkroom.edittasks.datasets;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.edittasks.tasks.Split;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Records the result of every annotation: counts for the report, and a line of JSON for everything that was rejected. */
final class CurationLog implements AutoCloseable {
    private static final JsonMapper JSON = new JsonMapper();

    private final BufferedWriter rejected;
    private final Map<Long, Fate> fates = new LinkedHashMap<>();
    private final Map<CurationRule, Long> rejections = new EnumMap<>(CurationRule.class);

    /**
     * A picture, or a part of its annotation.
     *
     * @param line number of the annotation
     * @param image path of the picture; null if the annotation names none
     * @param what the part, for instance {@code edits[0]}
     */
    record Subject(long line, @Nullable String image, String what) {}

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

    CurationLog(Path file) throws IOException {
        rejected = Files.newBufferedWriter(file);
    }

    /** Counts an annotation that could be read. */
    void read(long line, String image) {
        fates.put(line, new Fate(image));
    }

    /** Returns the number of annotations, including those that could not be read. */
    int annotations() {
        return fates.size();
    }

    void reject(Subject subject, CurationRule rule, String reason) throws IOException {
        Fate fate = fates.computeIfAbsent(subject.line(), _ -> new Fate(subject.image()));
        if (fate.firstRule == null) {
            fate.firstRule = rule;
            fate.firstReason = reason;
        }
        rejections.merge(rule, 1L, Long::sum);
        write(subject, rule, reason);
    }

    /** Counts a row of a picture that was written. */
    void written(Candidate row) {
        fates.computeIfAbsent(row.line(), _ -> new Fate(row.image())).rows++;
    }

    /** Records the pictures without a row, and returns the report. */
    Curation.Report report(Map<Split, Map<String, Long>> rows) throws IOException {
        long kept = 0;
        Map<CurationRule, Long> imagesRejected = new EnumMap<>(CurationRule.class);
        for (Map.Entry<Long, Fate> entry : fates.entrySet()) {
            Fate fate = entry.getValue();
            if (fate.rows > 0) {
                kept++;
            } else {
                CurationRule rule = fate.firstRule == null ? CurationRule.NOTHING_TO_EDIT : fate.firstRule;
                imagesRejected.merge(rule, 1L, Long::sum);
                write(new Subject(entry.getKey(), fate.image, "whole picture"), rule, fate.firstReason);
            }
        }
        return new Curation.Report(fates.size(), kept, rejections, imagesRejected, rows);
    }

    private void write(Subject subject, CurationRule rule, String reason) throws IOException {
        ObjectNode json = JSON.createObjectNode();
        json.put("line", subject.line());
        json.put("image", subject.image());
        json.put("what", subject.what());
        json.put("rule", rule.label());
        json.put("reason", reason);
        rejected.write(json.toString());
        rejected.write('\n');
    }

    @Override
    public void close() throws IOException {
        rejected.close();
    }
}
