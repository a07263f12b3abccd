package darkroom.actors;

/**
 * What draws the steps that name this version.
 *
 * @param weights of the policy that draws
 * @param ban rows that are not drawn from
 */
public record Publication(PolicyVersion version, TensorRef weights, PromptBan ban) {}
