package darkroom.actors;

import java.util.List;

/**
 * Where the prompts of a run come from.
 *
 * <p>Called by one actor at a time, on a dispatcher for blocking work; it may render or read, and should take less than
 * a second.
 */
public interface PromptSource {
    /**
     * The prompts of a step in group order: a pure function of (seed, step, ban). Their tensors are in the store when it
     * returns.
     *
     * @throws RuntimeException if there are none left; the run then ends and says so
     */
    List<Prompt> prompts(int step, PromptBan ban);

    /** The step that these prompts were issued for is over: their tensors may go. */
    void release(List<Prompt> prompts);
}
