package darkroom.runtime.report;

import darkroom.actors.device.GroupOutcome;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunListener;
import darkroom.runtime.base.JsonLines;
import darkroom.runtime.base.RunDirectory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Records the models that have scored a run, one line of {@code scorers.jsonl} each, and reports a change of scorer:
 * after a resumption, or because a server was changed. Scores of different models, versions or prompts are not
 * comparable.
 */
public final class ScorerRecord implements RunListener, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ScorerRecord.class);

    /** One of several rewards, as recorded with a score: {@code NAME SCORE (HOST MODEL)}. */
    private static final Pattern PART = Pattern.compile("(\\S+) \\S+ \\((.*)\\)");

    private final JsonLines<Line> lines;
    private final Set<String> known = new TreeSet<>();
    private final Set<String> ofStep = new TreeSet<>();

    /**
     * A line of {@code scorers.jsonl}.
     *
     * @param step the first step with a score by this scorer
     * @param scorer model, scoring method, version, prompt name; without the host
     */
    public record Line(int step, String scorer) {}

    /**
     * Opens the record.
     *
     * @param step steps committed in the state from which the run resumes; lines of later ones are cut
     */
    public ScorerRecord(Path run, int step) {
        Path file = new RunDirectory(run).scorers();
        lines = JsonLines.open(file, Line.class, line -> line.step() < step);
        JsonLines.forEach(file, Line.class, line -> known.add(line.scorer()));
    }

    @Override
    public synchronized void heard(RunEvent event) {
        switch (event) {
            case RunEvent.GroupCompared(int _, GroupOutcome.Finished ended, var _) ->
                ended.outcomes().stream()
                        .filter(ScoreOutcome.Scored.class::isInstance)
                        .map(outcome -> withoutHosts(((ScoreOutcome.Scored) outcome).scorer()))
                        .forEach(ofStep::add);
            case RunEvent.StepCommitted committed -> commit(committed.step());
            default -> {}
        }
    }

    private void commit(int step) {
        ofStep.removeAll(known);
        if (!ofStep.isEmpty() && !known.isEmpty()) {
            LOG.warn(
                    "from step {} on images are scored by {}; until then by {}. Scores of different models, versions"
                            + " or prompts are not comparable: a curve over this step is of two scorers",
                    step,
                    String.join(", ", ofStep),
                    String.join(", ", known));
        }
        ofStep.forEach(scorer -> lines.append(new Line(step, scorer)));
        if (!ofStep.isEmpty()) {
            lines.force();
        }
        known.addAll(ofStep);
        ofStep.clear();
    }

    /** Returns the scorers so far, for people. */
    public synchronized String describe() {
        return known.isEmpty() ? String.join(", ", ofStep) : String.join(", ", known);
    }

    /** Returns the scorer recorded with a score, without hosts: the same model on another server is the same scorer. */
    static String withoutHosts(String scorer) {
        return Arrays.stream(scorer.split(" \\+ ", -1))
                .map(part -> {
                    Matcher several = PART.matcher(part);
                    return several.matches()
                            ? "%s (%s)".formatted(several.group(1), afterHost(several.group(2)))
                            : afterHost(part);
                })
                .collect(Collectors.joining(" + "));
    }

    private static String afterHost(String scorer) {
        return scorer.substring(scorer.indexOf(' ') + 1);
    }

    @Override
    public void close() {
        lines.close();
    }
}
