package darkroom.rewardactors.protocol;

import darkroom.config.ScoringSettings;
import darkroom.config.ScoringSettings.Method;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The prompts of a method: the shipped ones, or one per task and one for all others. */
public final class PromptTemplates {
    private final PromptTemplate usual;
    private final Map<String, PromptTemplate> ofTasks;

    private final boolean taskPrompts;

    private PromptTemplates(PromptTemplate usual, Map<String, PromptTemplate> ofTasks, boolean taskPrompts) {
        this.usual = usual;
        this.ofTasks = ofTasks;
        this.taskPrompts = taskPrompts;
    }

    /**
     * Returns the shipped prompts of the method.
     *
     * @param taskPrompts whether they contain the texts of {@link TaskCriteria}
     */
    static PromptTemplates shipped(Method method, boolean taskPrompts) {
        PromptTemplate shipped =
                switch (method) {
                    case SCORE_LOGIT, SCORE_SAMPLING, PATTERN, ADAPTER -> PromptTemplate.SCORE;
                    case YES_NO_LOGIT -> PromptTemplate.YES_NO;
                    case SCORE_LOGIT_COT, SCORE_SAMPLING_COT -> PromptTemplate.SCORE_COT;
                };
        return new PromptTemplates(shipped, Map.of(), taskPrompts);
    }

    /**
     * @param templates {@code TASK=TEXT}, where {@link ScoringSettings#ANY_TASK} is for all tasks that are not named
     * @throws IllegalArgumentException if a text is not a template, or {@link Method#PATTERN} has none for all tasks
     */
    static PromptTemplates of(Method method, List<String> templates, boolean taskPrompts) {
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
        return new PromptTemplates(any == null ? shipped(method, taskPrompts).usual : any, ofTasks, taskPrompts);
    }

    /** Returns the text of one question. */
    String fill(String instruction, String requirement, String task, boolean reference) {
        return ofTasks.getOrDefault(task, usual)
                .fill(instruction, requirement, task, reference, taskPrompts ? TaskCriteria.of(task) : "");
    }

    /** Returns all texts that questions are made of, for a digest. */
    String text() {
        return usual.text()
                + ofTasks.values().stream().map(PromptTemplate::text).toList()
                + (taskPrompts ? new TreeMap<>(TaskCriteria.all()) : "");
    }
}
