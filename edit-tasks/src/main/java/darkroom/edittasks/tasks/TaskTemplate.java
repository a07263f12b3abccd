package darkroom.edittasks.tasks;

/**
 * The template of the edits of one task type: which scenes it needs, which words ask for the edit, and which results are
 * wrong.
 */
sealed interface TaskTemplate
        permits ActionTemplate,
                AddTemplate,
                AdjustTemplate,
                BackgroundTemplate,
                ExtractTemplate,
                HybridTemplate,
                RedBoxTemplate,
                ReferenceTemplate,
                RemoveTemplate,
                ReplaceTemplate,
                StyleTemplate,
                TextTemplate {

    static TaskTemplate of(TaskType type) {
        return switch (type) {
            case ADD -> new AddTemplate();
            case ADJUST -> new AdjustTemplate();
            case REPLACE -> new ReplaceTemplate();
            case REMOVE -> new RemoveTemplate();
            case BACKGROUND -> new BackgroundTemplate();
            case STYLE -> new StyleTemplate();
            case EXTRACT -> new ExtractTemplate();
            case HYBRID -> new HybridTemplate();
            case ACTION -> new ActionTemplate();
            case TEXT -> new TextTemplate();
            case RED_BOX -> new RedBoxTemplate();
            case REFERENCE -> new ReferenceTemplate();
        };
    }

    /**
     * Draws an edit of this type.
     *
     * @throws IllegalStateException if the pool or the catalogue lacks what the edit needs
     */
    Plan draw(PlanDraws draws);
}
