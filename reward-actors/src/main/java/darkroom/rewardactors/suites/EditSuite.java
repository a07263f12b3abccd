package darkroom.rewardactors.suites;

import darkroom.rewardactors.judge.JudgePrompt;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** A published benchmark of editing: its items, its questions to a judge, and its figures. */
public sealed interface EditSuite permits ImgEditSuite, GEditSuite {
    /** Returns the name as in {@code --suite}. */
    String name();

    /** Returns all edits, in the order of their file. */
    List<SuiteItem> items();

    /** Returns the suite with the first {@code count} items only. */
    EditSuite limited(int count);

    /** Returns the expected places of missing edits, one place per item. */
    default List<String> missingEdits() {
        return missing(SuiteItem::edited);
    }

    /** Returns the expected places of missing originals, one place per item. */
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

    /** Returns all prompts for judges of this suite. */
    List<JudgePrompt> prompts();

    /** Returns the questions about one edit. */
    List<SuiteQuestion> questions(SuiteItem item);

    /** Returns the names of the figures, in their order. */
    List<String> figures();

    /**
     * Computes the figures of one edit.
     *
     * @param answers scores, one list per question
     */
    List<Double> figures(List<List<Double>> answers);

    /** Computes the means defined by the protocol. */
    List<SuiteTable> tables(List<JudgedItem> judged);

    /** Returns a further remark on the answers, one line; empty if none. */
    Optional<String> remark(List<JudgedItem> judged);
}
