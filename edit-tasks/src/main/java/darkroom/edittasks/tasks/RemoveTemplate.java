package darkroom.edittasks.tasks;

import darkroom.edittasks.tasks.Catalogue.Thing;
import java.util.List;

/** Removes one of two objects. */
record RemoveTemplate() implements TaskTemplate {
    @Override
    public Plan draw(PlanDraws draws) {
        Thing gone = draws.subject();
        Thing stays = draws.beside(gone);
        Thing third = draws.beside(gone, stays);
        boolean left = draws.half();
        Scene source =
                new Scene(draws.scene(), List.of(draws.onSide(gone.icon(), left), draws.onSide(stays.icon(), !left)));
        return new Plan(
                new Combination(TaskType.REMOVE, gone.say()),
                new Plan.Request(
                        draws.one("remove", "delete", "erase", "take away") + " the " + gone.say(),
                        "The " + gone.say() + " must be gone and the background behind it filled in. Everything else,"
                                + " the " + stays.say() + " too, must stay as it was."),
                source,
                source.without(0),
                new Plan.WrongTargets(source.without(1), source.change(0, p -> p.icon(third.icon()))));
    }
}
