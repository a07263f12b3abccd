package darkroom.runtime.report;

import freemarker.core.TemplateHTMLOutputModel;
import java.util.List;

/**
 * The data model of {@code report.ftlh}: text and drawings, already formatted. Public, as the template engine reads no
 * other classes.
 *
 * @param title of the run
 * @param ending why it ended, one sentence; empty while it has not
 * @param facts name and value, for the line under the title
 * @param figures held-out figures, most important first
 * @param honesty result of the clean base, one sentence; empty if it was not evaluated
 * @param learning charts
 * @param groups charts
 * @param optimizer charts
 * @param tasks held-out figures by task type
 * @param changes chart of the held-out figures by task type
 * @param comparison held-out rows before and after
 * @param training training groups, by step
 * @param decisions lines of the table
 * @param decisionsNote total number of decisions, as text
 * @param unscored reasons why images have no score
 * @param noise variation of scorers; empty for scorers that were not measured
 * @param incidents what happened to nodes and workers, the newest first; empty if only the start is recorded
 * @param stages time by stage
 * @param speed charts
 * @param digests name and value
 * @param settings the resolved settings, HOCON; empty if the run has no file of them
 */
public record ReportPage(
        String title,
        String ending,
        List<Fact> facts,
        List<Figure> figures,
        String honesty,
        List<TemplateHTMLOutputModel> learning,
        List<TemplateHTMLOutputModel> groups,
        List<TemplateHTMLOutputModel> optimizer,
        List<Task> tasks,
        List<TemplateHTMLOutputModel> changes,
        List<Strip> comparison,
        List<Step> training,
        List<Line> decisions,
        String decisionsNote,
        List<Fact> unscored,
        List<Noise> noise,
        List<Mishap> incidents,
        List<Stage> stages,
        List<TemplateHTMLOutputModel> speed,
        List<Fact> digests,
        String settings) {

    /** A name and its value, as shown on the page. */
    public record Fact(String name, String value) {}

    /**
     * A held-out figure.
     *
     * @param gain with sign; empty if not measured
     * @param interval of the gain, and the share of better tasks
     * @param clean the same figure of the clean base; empty if it was not evaluated
     */
    public record Figure(
            String name, String unit, String start, String end, String gain, String interval, String clean) {}

    /** Held-out figures of one task type. */
    public record Task(
            String type,
            int edits,
            String truthBefore,
            String truthAfter,
            String truthGain,
            String truthClean,
            String rewardBefore,
            String rewardAfter,
            String rewardGain) {}

    /**
     * Variation of one scorer.
     *
     * @param share of the standard deviation in the filter's threshold, percent
     */
    public record Noise(
            String scorer, String count, String mean, String std, String range, String threshold, String share) {}

    /** One {@link Incident}. */
    public record Mishap(String at, String kind, String who, String text) {}

    /** Contact sheets of one step. */
    public record Step(String title, List<Strip> strips) {}

    /**
     * One row of a contact sheet.
     *
     * @param fate {@code kept}, {@code dropped}, {@code abandoned}, or empty
     */
    public record Strip(String type, String instruction, String fate, String reason, List<Tile> tiles) {}

    /**
     * One image.
     *
     * @param role {@code source}, {@code edit}, {@code before}, {@code after}, {@code target}, ...
     * @param first whether a gap separates it from the previous tile: another role begins
     * @param mark {@code best} for the highest score of its row, {@code unscored}, or empty
     * @param png base64
     * @param score the score or the reason why it is missing; empty for an image that is not an edit
     * @param truth agreement with the target; empty if not known
     */
    public record Tile(
            String role, boolean first, String mark, String png, String alt, String score, String truth, String note) {}

    /** One group of the table of decisions. */
    public record Line(
            int step,
            int group,
            String type,
            String instruction,
            String fate,
            String mean,
            String std,
            String scored,
            String reason) {}

    /**
     * Time of one stage.
     *
     * @param share of the time of all steps, percent; empty for a stage that is not part of a step
     */
    public record Stage(String name, String seconds, String share) {}
}
