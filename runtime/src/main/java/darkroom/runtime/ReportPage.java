package darkroom.runtime;

import freemarker.core.TemplateHTMLOutputModel;
import java.util.List;

/**
 * What {@code report.ftlh} sets: text and drawings, no figure to be formatted any more. Public, as the template engine
 * reads no other classes.
 *
 * @param title of the run
 * @param ending why it ended, one sentence; empty while it has not
 * @param facts name and value, for the line under the title
 * @param figures held-out figures, most important first
 * @param honesty what the clean base reaches, one sentence; empty if it was not drawn
 * @param learning charts
 * @param groups charts
 * @param optimizer charts
 * @param tasks held-out figures by task type
 * @param comparison held-out rows before and after
 * @param training training groups, by step
 * @param verdicts lines of the table
 * @param verdictsNote how many there are in all
 * @param unscored reasons why images have no score
 * @param noise how much scorers vary; empty for those that were not asked
 * @param incidents what happened to nodes and workers, the newest first; empty if nothing but the start
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
        List<Strip> comparison,
        List<Step> training,
        List<Line> verdicts,
        String verdictsNote,
        List<Fact> unscored,
        List<Noise> noise,
        List<Mishap> incidents,
        List<Stage> stages,
        List<TemplateHTMLOutputModel> speed,
        List<Fact> digests,
        String settings) {

    /** A name and what it is, as the page shows them. */
    public record Fact(String name, String value) {}

    /**
     * @param gain with sign; empty if not measured
     * @param interval of the gain, and the share of better tasks
     * @param clean the same figure of the clean base; empty if not drawn
     */
    public record Figure(
            String name, String unit, String start, String end, String gain, String interval, String clean) {}

    /** @param span drawing of the way from before to after, on a scale from 0 to 1 */
    public record Task(
            String type,
            int edits,
            String truthBefore,
            String truthAfter,
            String truthGain,
            String truthClean,
            TemplateHTMLOutputModel span,
            String rewardBefore,
            String rewardAfter,
            String rewardGain) {}

    /** @param share of the standard deviation in the filter's threshold, percent */
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
     * @param first whether a gap to the tile before is due: another role begins
     * @param mark {@code best} for the highest score of its row, {@code unscored}, or empty
     * @param png base64
     * @param score or why there is none; empty for what is no edit
     * @param truth agreement with the target; empty if not known
     */
    public record Tile(
            String role, boolean first, String mark, String png, String alt, String score, String truth, String note) {}

    /** One group of the table of verdicts. */
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

    /** @param share of the time of all steps, percent; empty for what is no part of a step */
    public record Stage(String name, String seconds, String share) {}
}
