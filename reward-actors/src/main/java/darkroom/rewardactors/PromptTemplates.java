package darkroom.rewardactors;

import darkroom.config.ScoringSettings;
import darkroom.config.ScoringSettings.Method;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The words of a method: those that ship, or a text for each task and one for all others. */
public final class PromptTemplates {
    private final PromptTemplate usual;
    private final Map<String, PromptTemplate> ofTasks;

    private PromptTemplates(PromptTemplate usual, Map<String, PromptTemplate> ofTasks) {
        this.usual = usual;
        this.ofTasks = ofTasks;
    }

    /** The words that ship with the method. */
    static PromptTemplates shipped(Method method) {
        PromptTemplate shipped =
                switch (method) {
                    case SCORE_LOGIT, SCORE_SAMPLING, PATTERN, ADAPTER -> PromptTemplate.SCORE;
                    case YES_NO_LOGIT -> PromptTemplate.YES_NO;
                    case SCORE_LOGIT_COT, SCORE_SAMPLING_COT -> PromptTemplate.SCORE_COT;
                };
        return new PromptTemplates(shipped, Map.of());
    }

    /**
     * @param templates {@code TASK=TEXT}, of which {@link ScoringSettings#ANY_TASK} is for all tasks that are not named
     * @throws IllegalArgumentException if a text is no template, or {@link Method#PATTERN} has none for all tasks
     */
    static PromptTemplates of(Method method, List<String> templates) {
        Map<String, PromptTemplate> ofTasks = new TreeMap<>();
        for (String template : templates) {
            int at = template.indexOf('=');
            String task = template.substring(0, at).strip();
            ofTasks.put(task, PromptTemplate.parse("template of task " + task, template.substring(at + 1)));
        }
        PromptTemplate any = ofTasks.remove(ScoringSettings.ANY_TASK);
        if (any == null && method == Method.PATTERN) {
            throw new IllegalArgumentException(
                    "method pattern asks in words of your own: name them by " + "scoring.templates=[\"any=@FILE\"]");
        }
        return new PromptTemplates(any == null ? shipped(method).usual : any, ofTasks);
    }

    /** The words for a task, which may be empty. */
    PromptTemplate of(String task) {
        return ofTasks.getOrDefault(task, usual);
    }
}
