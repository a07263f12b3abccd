package darkroom.rewardactors;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** A published benchmark of editing: what is judged, what a judge is asked about it, and what is made of the answers. */
public sealed interface EditSuite permits ImgEditSuite, GEditSuite {
    /** As {@code --suite} names it. */
    String name();

    /** All edits, in the order of their file. */
    List<SuiteItem> items();

    /** The same with the first {@code count} items only. */
    EditSuite limited(int count);

    /** Where edits should be and are not, one place an item. */
    default List<String> missingEdits() {
        return missing(SuiteItem::edited);
    }

    /** Where originals should be and are not, one place an item. */
    default List<String> missingOriginals() {
        return missing(SuiteItem::sources);
    }

    private List<String> missing(Function<SuiteItem, List<Path>> places) {
        return items().stream()
                .map(places)
                .filter(each -> SuitePictures.first(each).isEmpty())
                .map(each -> each.getFirst().toString())
                .toList();
    }

    /** All words that judges of this suite are asked with. */
    List<JudgePrompt> prompts();

    /** What is asked about one edit. */
    List<SuiteQuestion> questions(SuiteItem item);

    /** Names of the figures, in their order. */
    List<String> figures();

    /**
     * The figures of one edit.
     *
     * @param answers scores, one list a question
     */
    List<Double> figures(List<List<Double>> answers);

    /** Means, as the protocol takes them. */
    List<SuiteTable> tables(List<JudgedItem> judged);

    /** What else is to be said of the answers, one line; empty if nothing. */
    Optional<String> remark(List<JudgedItem> judged);
}
